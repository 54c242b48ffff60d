//! How long campaigns are.

/// One of two lengths: campaigns are shorter where `CALLPATH_SHORT` is set, as `cargo xtask test` does.
pub fn length<T>(full: T, short: T) -> T {
    if std::env::var_os("CALLPATH_SHORT").is_some() { short } else { full }
}
