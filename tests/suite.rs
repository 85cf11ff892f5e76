//! The one integration binary, so that Burn is linked once.

#[path = "suite/predictions.rs"]
mod predictions;
