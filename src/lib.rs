//! Does the trained network predict like kernel regression with its neural tangent kernel?

pub mod error;
pub mod seed;

pub mod linalg;
pub mod stats;

pub mod arch;
pub mod data;
pub mod record;

pub mod kernel;
pub mod net;

pub mod dynamics;
pub mod regress;
pub mod train;

pub mod study;

pub mod figure;
pub mod report;
