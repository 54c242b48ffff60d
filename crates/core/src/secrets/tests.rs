use super::{Decoded, backslash_escape, finish, hide, in_code, in_text};

fn cut(text: &str, find: fn(&str) -> Vec<std::ops::Range<usize>>) -> String {
    let mut out = text.as_bytes().to_vec();
    super::hide_in(&mut out, text, 0..text.len(), find);
    let out = finish(out);
    assert_eq!(out.len(), text.len(), "{text}: {out}");
    out
}

#[test]
fn addresses_keep_scheme_host_and_port() {
    for (text, wanted) in [
        ("https://lists.example/a/b.txt", "https://lists.example/*******"),
        ("https://lists.example:8443/?key=1#x", "https://lists.example:8443/********"),
        ("https://lists.example?key=1", "https://lists.example?*****"),
        ("https://lists.example#key", "https://lists.example#***"),
        ("https://u:p@lists.example/", "https://***@lists.example/"),
        ("https://u:p@x@lists.example", "https://*****@lists.example"),
        ("https://key@[2001:db8::1]:443/x", "https://***@[2001:db8::1]:443/*"),
        ("see (https://wiki.example) and http://h/list", "see (https://wiki.example) and http://h/****"),
        ("ftp://u:pa/ss@lists.example/", "ftp://************************".get(..28).unwrap_or_default()),
        ("https://lists.example/mail@key", "https://lists.example/********"),
        ("https://u:pa ss@lists.example/", "https://**** **@lists.example/"),
        ("HTTPS%3A%2F%2Fu%3Ap%40lists.example", "HTTPS%3A%2F%2F*********************"),
        ("//u:p@lists.example/x", "//***@lists.example/*"),
        ("https:\\\\u:p@lists.example\\x", "https:\\\\***@lists.example\\*"),
        ("u:p@lists.example/x", "***@lists.example/*"),
        ("lists.example/key/list.txt", "lists.example/************"),
        ("10.0.0.1/list?key=7", "10.0.0.1/list?*****"),
        ("10.0.0.0/8 fd00::/8 a_b 80:443 lists.example", "10.0.0.0/8 fd00::/8 a_b 80:443 lists.example"),
        ("https://", "https://"),
        ("Spokes & co: voice/video", "Spokes & co: voice/video"),
    ] {
        let got = cut(text, super::in_address);
        assert_eq!(got, wanted, "{text}");
        assert_eq!(cut(&got, super::in_address), got, "nothing is left of {text}");
    }
}

#[test]
fn texts_keep_what_names_a_rule() {
    for text in [
        "Spokes media, UDP 50000-50499",
        "Default allow LAN to any rule",
        "key to the office",
        "Pass: VoIP",
        "token ring in 3rd floor",
        "WireGuard wg0 -> office (2024-05-17)",
        "NAT Redirect for 203.0.113.5:443, see ticket #4711",
        "Password reset server",
        "RFC1918 / bogons",
        "Anna's phone @ home",
        "f8:75:a4:01:02:03 fd12:3456:789a:1::50",
        "passwords are not the problem here",
    ] {
        assert_eq!(cut(text, in_text), text);
    }
}

#[test]
fn texts_lose_credentials_by_their_shape() {
    for text in [
        "password=hunter2",
        "Passwort: hunter2 hunter2",
        "the password hunter2",
        "api_key: hunter2",
        "apiKey=hunter2",
        "X-Api-Key: hunter2",
        "Authorization: Basic hunter2",
        "Bearer hunter2==",
        "community hunter2",
        "rocommunity=hunter2",
        "psk \"hunter2\"",
        "key=hunter2",
        "licence key: hunter2",
        "wg PrivateKey = hunter2",
        "pin:hunter2",
        "ssh-ed25519 hunter2 hunter2",
        "$2y$10$hunter2hunter2",
        "ana:$6$hunter2hunter2",
        "{SHA}hunter2hunter2=",
        "ghp_hunter2hunter2",
        "eyJhbGciOihunter2.hunter2hunter2.hunter2",
        "7hunter2Bhunter2Chunter2Dhunter2aaaaaaaaaa0=",
        "-----BEGIN PRIVATE KEY----- hunter2\nhunter2\n-----END PRIVATE KEY----- hunter2",
        "mail hunter2@lists.example",
        "ftp hunter2:hunter2@lists.example",
        "https://hunter2@lists.example/hunter2?a=hunter2#hunter2",
    ] {
        let got = cut(text, in_text);
        assert!(!got.contains("hunter2"), "{text}: {got}");
        assert_eq!(cut(&got, in_text), got, "nothing is left of {text}");
    }
}

#[test]
fn no_name_in_a_configuration_is_hidden() {
    for text in [
        "KUBE-SVC-TCOU7JCQXEZGVUNU",
        "service-NWBZK7IH-kube-system/kube-dns/tcp/dns-tcp",
        "br-4f1c2d3e4f5a",
        "0x20010db8000000000000000000000000",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "define secret_port = 5",
        "@known",
        "/var/db/aliastables/Office2024.txt",
    ] {
        assert_eq!(cut(text, in_code), text);
    }
    assert!(!cut("x \"http://u:hunter2@h.example/hunter2\"", in_code).contains("hunter2"));
}

#[test]
fn escapes_hide_nothing_from_the_search() {
    for (text, mark, escape) in [
        ("https:\\/\\/u:secret\\u0040h.example\\/secret", '\\', backslash_escape as super::Escape),
        ("pass\\u0077ord = \\\"secret\\\"", '\\', backslash_escape),
    ] {
        let mut decoded = Decoded::default();
        decoded.add(text, 0..text.len(), mark, escape);
        let mut out = text.as_bytes().to_vec();
        decoded.hide_in(&mut out, in_text);
        let got = finish(out);
        assert!(!got.contains("secret") && got.len() == text.len(), "{got}");
    }
    let mut bytes = "a ä\n".as_bytes().to_vec();
    hide(&mut bytes);
    assert_eq!(finish(bytes), "* **\n");
}

#[test]
fn json_with_blanks_that_it_does_not_have_comes_to_an_end() {
    let keep = super::json::Keep { keys: &["a"], texts: &[], inner: &[] };
    for blank in ["\u{b}", "\u{c}", "\u{85}", "\u{a0}", "\u{2003}", "\u{2028}", "\u{feff}", "\\", "'"] {
        let text = format!("{{\"a\":{blank}1{blank}, {blank}\"b\" {blank}: [{blank}\"x\"{blank}]{blank}}}{blank}");
        let got = super::json::blank(&text, &keep);
        assert_eq!(got.len(), text.len());
        assert!(!got.contains('x'), "{got}");
    }
}

#[test]
fn behind_what_is_no_json_nothing_is_kept_the_second_time_either() {
    let keep = super::json::Keep { keys: &["a"], texts: &[], inner: &[] };
    for broken in ["x", "[x", "{\"a\":1}x{\"a\":1024,\"b\":\"c\"}", "[1024]x[1024]", "\"a\":x,\"a\":1024"] {
        let text = format!("{broken},{{\"a\":1024}}");
        let got = super::json::blank(&text, &keep);
        assert_eq!(super::json::blank(&got, &keep), got, "{text}");
    }
}
