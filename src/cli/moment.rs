//! Moments as people write them on a command line: absolute, or so long ago.

use crate::model::{MaxAge, Time};

/// Reads `2026-11-20T12:04:11Z` and the like, a bare day (its beginning, in UTC), `2d` or `2d ago`, and `now`.
pub(crate) fn read_moment(text: &str, now: Time) -> Result<Time, String> {
    let text = text.trim();
    if text == "now" {
        return Ok(now);
    }
    let span = text.strip_suffix("ago").map_or(text, str::trim_end);
    if let Ok(MaxAge(span)) = span.parse::<MaxAge>() {
        return Ok(now.before(span));
    }
    text.parse::<Time>().map_err(|_| {
        format!("`{text}` is not a moment: write it as in 2026-11-20, 2026-11-20T12:04:11Z, or 2d for two days ago")
    })
}
