//! The registry of the files that come with the product. A test holds that no file below `queries/` is missing here.

macro_rules! embedded {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("../../queries/", $path)))),*]
    };
}

/// Path below `queries/` and text of each file, sorted by path.
pub(super) const FILES: &[(&str, &str)] = embedded![
];
