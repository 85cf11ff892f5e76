//! To be written.

use super::Evidence;
use crate::error::Result;
use crate::study::findings::Findings;
use crate::study::settings::Study;

pub(super) fn ensure_possible(_: &Study) -> Result<()> {
    Ok(())
}

pub(super) fn findings(_: &Evidence<'_>) -> Findings {
    Findings::default()
}
