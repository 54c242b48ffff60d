//! The nftables syntax tree that both readers (text and JSON) produce.
//!
//! Values stay words and numbers here: what `ssh` or `established` means depends on the selector beside it, so
//! lowering decides. Names follow libnftables-json(5) where it has one.

use crate::dialect::includes::EmptyInclude;
use crate::model::SourceSpan;

/// A whole ruleset, after includes, defines and commands (`flush`, `delete`, `add` …) were carried out in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ruleset {
    /// Tables in the order in which they were first created.
    pub tables: Vec<Table>,
    /// What could not be read outside of rules: each with its position and the reason.
    pub unread: Vec<Unread>,
    /// Patterns of includes that no file fits.
    pub empty: Vec<EmptyInclude>,
}

/// What a text takes away from a ruleset that is loaded before it.
#[derive(Debug, Clone, PartialEq)]
pub enum Removal {
    /// All tables, or those of a family.
    Tables(Option<TableFamily>),
    /// A table.
    Table(TableFamily, Box<str>),
    /// Something of a table that the text does not make.
    Part(TableFamily, Box<str>),
}

/// A piece of text that was not understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Unread {
    /// Where it stands.
    pub at: SourceSpan,
    /// The text itself, shortened to a line.
    pub text: Box<str>,
    /// Why it was not understood, for a person.
    pub why: Box<str>,
}

/// Address family of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TableFamily {
    /// `ip`: IPv4.
    Ip,
    /// `ip6`: IPv6.
    Ip6,
    /// `inet`: both.
    Inet,
    /// `arp`.
    Arp,
    /// `bridge`.
    Bridge,
    /// `netdev`: ingress and egress of one interface.
    Netdev,
}

/// A table with everything in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Family.
    pub family: TableFamily,
    /// Name.
    pub name: Box<str>,
    /// `flags dormant`: the table is not hooked in.
    pub dormant: bool,
    /// Chains in order of creation.
    pub chains: Vec<Chain>,
    /// Sets and maps (a map is a set with `data`).
    pub sets: Vec<Set>,
    /// Named objects: counters, quotas, limits, ct helpers, timeouts, expectations, synproxy, secmark; and flowtables.
    pub objects: Vec<Object>,
    /// Where it is declared.
    pub at: SourceSpan,
}

/// A named object other than a set.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// `counter`, `quota`, `limit`, `ct helper`, `ct timeout`, `ct expectation`, `synproxy`, `secmark`, `flowtable`.
    pub kind: Box<str>,
    /// Name.
    pub name: Box<str>,
    /// Its body, as text; two readers need not agree on it.
    pub body: Box<str>,
}

/// A chain.
#[derive(Debug, Clone, PartialEq)]
pub struct Chain {
    /// Name.
    pub name: Box<str>,
    /// Present for base chains.
    pub base: Option<Base>,
    /// Rules in evaluation order.
    pub rules: Vec<Rule>,
    /// Where it is declared.
    pub at: SourceSpan,
}

/// What hooks a base chain into the packet path.
#[derive(Debug, Clone, PartialEq)]
pub struct Base {
    /// `filter`, `nat` or `route`.
    pub kind: ChainKind,
    /// Hook.
    pub hook: HookName,
    /// Priority as a number; names such as `srcnat + 5` are resolved by the readers (they depend on the family).
    pub priority: i32,
    /// Devices, for ingress and egress.
    pub devices: Vec<Box<str>>,
    /// Policy is `drop`; absent or `accept` is false.
    pub policy_drop: bool,
}

/// Chain types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChainKind {
    /// `type filter`.
    Filter,
    /// `type nat`.
    Nat,
    /// `type route`.
    Route,
}

/// Hook names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookName {
    /// `hook ingress`.
    Ingress,
    /// `hook prerouting`.
    Prerouting,
    /// `hook input`.
    Input,
    /// `hook forward`.
    Forward,
    /// `hook output`.
    Output,
    /// `hook postrouting`.
    Postrouting,
    /// `hook egress`.
    Egress,
}

/// A rule: statements in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Statements in order; matches and actions may alternate.
    pub stmts: Vec<Stmt>,
    /// `comment "…"`.
    pub comment: Option<Box<str>>,
    /// Handle, where the source shows one.
    pub handle: Option<u64>,
    /// Where the rule stands.
    pub at: SourceSpan,
}

/// A set or map.
#[derive(Debug, Clone, PartialEq)]
pub struct Set {
    /// Name.
    pub name: Box<str>,
    /// Key type, one entry per component: type names (`ipv4_addr`), or for `typeof` the selector expressions.
    pub key: KeyType,
    /// For maps: the data type.
    pub data: Option<DataType>,
    /// `flags`, as words in this order: constant, interval, timeout, dynamic. `dynamic` stands exactly where a rule of
    /// the table updates the set, whatever its declaration says: JSON of nft 1.0.6 leaves the word out.
    pub flags: Vec<Box<str>>,
    /// A default timeout is set on the set.
    pub timeout: bool,
    /// Elements.
    pub elems: Vec<Elem>,
    /// Statements of the set (`counter`, `limit` …) that each element carries; limits make a lookup undecided.
    pub stmts: Vec<Stmt>,
    /// Where it is declared.
    pub at: SourceSpan,
}

/// Key type of a set.
#[derive(Debug, Clone, PartialEq)]
pub enum KeyType {
    /// `type ipv4_addr . inet_service`.
    Names(Vec<Box<str>>),
    /// `typeof ip saddr . th dport`.
    Typeof(Expr),
}

/// Data type of a map.
#[derive(Debug, Clone, PartialEq)]
pub enum DataType {
    /// `verdict`.
    Verdict,
    /// `type … : ipv4_addr . inet_service`; `interval` marks `: interval ipv4_addr`.
    Names(Vec<Box<str>>),
    /// `typeof … : ip daddr . tcp dport`.
    Typeof(Expr),
    /// An object map (`type inet_service : counter`, `: secmark`, `: ct helper`, `: limit`).
    Object(Box<str>),
}

/// An element of a named or anonymous set, map or verdict map.
#[derive(Debug, Clone, PartialEq)]
pub struct Elem {
    /// Key; [`Expr::Any`] for the catch-all `*`.
    pub key: Expr,
    /// Right of the colon, for maps.
    pub data: Option<ElemData>,
    /// It has a timeout or an expiry: it may be gone when the packet comes.
    pub timeout: bool,
    /// It carries a statement that may fail to match (`limit`, `quota`, `ct count`).
    pub stmts: Vec<Stmt>,
}

/// Right side of a map element.
#[derive(Debug, Clone, PartialEq)]
pub enum ElemData {
    /// A value.
    Value(Expr),
    /// A verdict.
    Verdict(Verdict),
}

/// Verdicts.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// `accept`.
    Accept,
    /// `drop`.
    Drop,
    /// `continue`.
    Continue,
    /// `return`.
    Return,
    /// `jump chain`.
    Jump(Box<str>),
    /// `goto chain`.
    Goto(Box<str>),
}

/// Expressions: values and selectors.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// A word or quoted string: an address, a service, an interface name, a state. A trailing `*` of an interface
    /// name stays in the text.
    Word(Box<str>),
    /// A number (decimal or hexadecimal in the source).
    Num(u64),
    /// `a-b`, both ends included.
    Range(Box<(Expr, Expr)>),
    /// `address/len`.
    Prefix(Box<Expr>, u8),
    /// `{ … }`.
    Set(Vec<Elem>),
    /// `@name`.
    SetRef(Box<str>),
    /// `a . b . c`.
    Concat(Vec<Expr>),
    /// `a,b,c` and `a|b|c` of flag words: any of them (`ct state`), or their union (right of a mask).
    Flags(Vec<Expr>),
    /// `left & right`, `left | right`, `left ^ right`, `left << right`, `left >> right`.
    Bin(BinOp, Box<(Expr, Expr)>),
    /// `key map { … }` or `key map @name`.
    Map(Box<(Expr, Expr)>),
    /// `*`, the catch-all element.
    Any,
    /// A selector: what is read from the packet.
    Field(Field),
    /// An expression that is known to nftables but whose value nobody can predict (`numgen`, `jhash`, `symhash`,
    /// `osf`) with its text.
    Opaque(Box<str>),
}

/// Bitwise operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinOp {
    /// `&`, also written `and`.
    And,
    /// `|`, also `or`.
    Or,
    /// `^`, also `xor`.
    Xor,
    /// `<<`, also `lshift`.
    Shl,
    /// `>>`, also `rshift`.
    Shr,
}

/// Direction of a conntrack tuple.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CtDir {
    /// `original`.
    Original,
    /// `reply`.
    Reply,
}

/// Selectors.
#[derive(Debug, Clone, PartialEq)]
pub enum Field {
    /// Header field: protocol (`ip`, `ip6`, `tcp`, `udp`, `th`, `icmp`, `icmpv6`, `sctp`, `dccp`, `udplite`, `ah`,
    /// `esp`, `comp`, `igmp`, `ether`, `vlan`, `arp`, …) and field name (`daddr`, `dport`, `flags` …).
    Payload(Box<str>, Box<str>),
    /// `@th,16,16`: base (`ll`, `nh`, `th`, `ih`), offset and length in bits.
    Raw(Box<str>, u32, u32),
    /// `meta key`; the short forms (`iifname`, `mark` …) are the same.
    Meta(Box<str>),
    /// `ct [original|reply] [ip|ip6] key`.
    Ct {
        /// Key: `state`, `status`, `direction`, `mark`, `saddr`, `daddr`, `proto-src`, `proto-dst`, `l3proto`,
        /// `protocol`, `expiration`, `helper`, `label`, `zone`, `id`, `packets`, `bytes`, `avgpkt`, `secmark`.
        key: Box<str>,
        /// Direction, where given.
        dir: Option<CtDir>,
        /// Family (`ct original ip saddr`), where given.
        family: Option<TableFamily>,
    },
    /// `fib flags result`: flags are `saddr`, `daddr`, `mark`, `iif`, `oif`; result `type`, `oif`, `oifname`.
    Fib(Vec<Box<str>>, Box<str>),
    /// `fib … exists|missing` has result `check`; kept as a fib field compared with the words `exists` or `missing`.
    Rt(Box<str>),
    /// `socket transparent|mark|wildcard|cgroupv2 …`.
    Socket(Box<str>),
    /// IPv6 extension header: header, field; an absent field means `exthdr name exists`.
    Exthdr(Box<str>, Option<Box<str>>),
    /// `tcp option name field`, also `ip option …`, `sctp chunk …`: kind (`tcp`, `ip`, `sctp`), name, field.
    Option(Box<str>, Box<str>, Option<Box<str>>),
    /// `ipsec in|out …`.
    Ipsec(Box<str>),
    /// `tunnel …` and selectors added to nftables later: the text.
    Other(Box<str>),
}

/// Comparison of a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cmp {
    /// No operator: equal, member of, or for flag fields "has any of". JSON: `in`, or `==` as nft prints it.
    Implicit,
    /// `==`.
    Eq,
    /// `!=`: another value, also for flags.
    Ne,
    /// `!`, for flags: none of these bits.
    NoneOf,
    /// `<`.
    Lt,
    /// `>`.
    Gt,
    /// `<=`.
    Le,
    /// `>=`.
    Ge,
}

/// Kinds of address translation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NatKind {
    /// `snat`.
    Snat,
    /// `dnat`.
    Dnat,
    /// `masquerade`.
    Masquerade,
    /// `redirect`.
    Redirect,
}

/// Statements.
#[derive(Debug, Clone, PartialEq)]
pub enum Stmt {
    /// A relational expression.
    Match {
        /// Selector, concatenation of selectors, or a bitwise expression over one.
        left: Expr,
        /// Operator.
        op: Cmp,
        /// Value, range, prefix, set, set reference, flags.
        right: Expr,
    },
    /// A verdict.
    Verdict(Verdict),
    /// `key vmap { … }` or `key vmap @name`.
    Vmap(Expr, Expr),
    /// Address translation.
    Nat {
        /// Kind.
        kind: NatKind,
        /// `dnat ip to …`.
        family: Option<TableFamily>,
        /// Address, range, prefix, or a map; for `addr . port` maps the map's data are concatenations.
        addr: Option<Expr>,
        /// Port, range or map.
        port: Option<Expr>,
        /// `prefix to`.
        prefix: bool,
        /// `random`, `fully-random`, `persistent`.
        flags: Vec<Box<str>>,
    },
    /// `meta mark set …`, `ct mark set …`, `ip dscp set …`, `tcp option maxseg size set …`. Also a reference to a named
    /// object through a map (`counter name … map`, `ct helper set … map`, with [`Field::Other`] on the left): a missing
    /// key ends the rule there too.
    Mangle(Expr, Expr),
    /// `limit rate …` with its figures; without them a limit of bytes, or a reference to a named limit.
    Limit(Option<Rate>),
    /// `quota …`, also a reference. Undecided.
    Quota,
    /// `ct count …`. Undecided.
    CtCount,
    /// Statements that cannot change a fate: `counter`, `log`, `comment`, `last`, `nftrace set`, `ct helper set`,
    /// `ct timeout set`, `ct expectation set`, `dup`, `secmark` …: the keyword.
    NoEffect(Box<str>),
    /// `reject [with …]`: the kind as nft prints it (`tcp reset`, `icmpx port-unreachable`; empty when not given).
    Reject(Box<str>),
    /// `notrack`.
    Notrack,
    /// `add|update|delete @set { elem [stmts] [: data] }`, and the older `set add … @set`.
    SetUpdate {
        /// `add`, `update`, `delete`.
        op: Box<str>,
        /// Set name.
        set: Box<str>,
        /// Key: its selectors bring their protocol requirements into the rule, as those of a match do.
        key: Box<Expr>,
        /// Right of the colon, for maps.
        data: Option<Box<Expr>>,
        /// Statements inside the braces, or those of the set; a limit there makes the rest of the rule undecided.
        stmts: Vec<Stmt>,
    },
    /// `meter name { key stmt }`.
    Meter {
        /// Key, as for [`Stmt::SetUpdate`].
        key: Expr,
        /// The statement.
        stmts: Vec<Stmt>,
    },
    /// `flow add @name`, `tproxy …`, `queue …`, `fwd …`, `synproxy …`: the keyword and the text.
    Effect(Box<str>, Box<str>),
    /// An xtables extension that nft cannot show (`xt match "name"`, `xt target "name"`): the text.
    Xt(Box<str>),
    /// A part of a rule that nft does not list, or lists as something else.
    Lost(Lost),
    /// A statement that was not understood: its text.
    Unread(Box<str>),
}

/// A rate limit of packets: a bucket of `burst` packets that fills up by `count` each `seconds`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Packets.
    pub count: u64,
    /// In this time.
    pub seconds: u32,
    /// Packets at once.
    pub burst: u64,
    /// `over`: matches packets beyond the limit.
    pub over: bool,
}

/// What nft's listing of a rule of iptables lost (see the reader of text).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lost {
    /// The target: nothing stands behind the rule's counter.
    Target,
    /// A condition that may be another one than is listed; how it is listed.
    Condition(Box<str>),
}
