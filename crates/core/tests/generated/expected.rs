//! The numbers that were reached, and the flows of which nothing certain can be said, each with its reason.

/// How many fates of a folder agree.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub agree: usize,
    pub wrong: usize,
    pub unknown: usize,
    /// Of kinds that are no packets of a call.
    pub not_followed: usize,
}

impl Counts {
    pub fn all(&self) -> usize {
        self.agree + self.wrong + self.unknown + self.not_followed
    }
}

const fn counts(agree: usize, wrong: usize, unknown: usize, not_followed: usize) -> Counts {
    Counts { agree, wrong, unknown, not_followed }
}

/// Folder, whether as JSON, numbers.
pub const EXPECTED: &[(&str, bool, Counts)] = &[
    ("openwrt", false, counts(231, 0, 6, 7)),
    ("ufw", false, counts(84, 0, 1, 4)),
    ("firewalld", false, counts(81, 0, 0, 4)),
    ("docker", false, counts(94, 0, 2, 0)),
    ("vyos", false, counts(104, 0, 0, 5)),
    ("shorewall", false, counts(35, 0, 0, 1)),
    ("openwrt", true, counts(0, 0, 0, 0)),
    ("ufw", true, counts(15, 0, 70, 4)),
    ("firewalld", true, counts(79, 0, 2, 4)),
    ("docker", true, counts(43, 0, 53, 0)),
    ("vyos", true, counts(0, 0, 0, 0)),
    ("shorewall", true, counts(0, 0, 35, 1)),
];

const DATE: &str = "the folder does not say on which day packets were sent";
const SRC_TYPE: &str = "nft does not list a `--dst-type` that stands beside `--src-type`";

/// Flows of the text listings that stay unknown, with what nft lost or the folder does not hold.
pub const UNKNOWN: &[(&str, &str)] = &[
    ("src-restrict inet tcp 203.0.113.10 8080", "the folder does not hold the callers' hardware addresses"),
    ("time inet udp 203.0.113.10 6000", DATE),
    ("time inet udp 203.0.113.10 6001", DATE),
    ("time inet udp 203.0.113.10 6002", DATE),
    ("time lan udp 203.0.113.10 6000", DATE),
    ("time lan udp 203.0.113.10 6002", DATE),
    ("dk-noproxy host tcp 127.0.0.1 5432", SRC_TYPE),
    ("dk-noproxy host tcp 127.0.0.1 6379", SRC_TYPE),
    ("ufw-limit trunk tcp 203.0.113.10 22", "nft names the extension `recent` and no more"),
];
