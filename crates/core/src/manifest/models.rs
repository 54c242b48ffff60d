//! Routers that export nothing, in the words of their own pages: where a forward, loopback, an exposed host and the helper
//! for SIP are set. One row for a model; a row names only what its source shows.

/// How the pages of a router call what calls need.
#[derive(Debug, PartialEq, Eq)]
pub struct Model {
    /// Its name in `model`.
    pub key: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// Where forwards are set.
    pub forward: &'static str,
    /// How calls from inside to the public address are turned back in; none: its documentation names no setting.
    pub loopback: Option<&'static str>,
    /// How everything is forwarded to one device; none: as for `loopback`.
    pub exposed: Option<&'static str>,
    /// Where the helper for SIP is switched off; none: as for `loopback`.
    pub helper: Option<&'static str>,
    /// What shows all that; empty for words that fit most routers.
    pub sources: &'static [&'static str],
}

impl Model {
    /// Words for a router that is not known.
    pub fn general() -> &'static Self {
        &GENERAL
    }

    /// Where the forwards of a box are set.
    pub fn forward_of(&self, device: &str) -> String {
        if self.key.is_empty() {
            format!("{} of {device}", self.forward)
        } else {
            format!("{device} ({}), {}", self.name, self.forward)
        }
    }

    /// How calls from inside to the public address are turned back in by a box, and how that is taken back.
    pub fn loopback_of(&self, device: &str) -> (String, String) {
        match (self.key, self.loopback) {
            ("", Some(setting)) => {
                let setting = format!("{setting} of {device}");
                (format!("{setting}: switch it on, if it has that"), format!("{setting}: switch it off"))
            }
            (_, Some(setting)) => {
                let place = format!("{device} ({}), {setting}", self.name);
                (place.clone(), format!("{place}: take it back"))
            }
            (_, None) => {
                let general = GENERAL.loopback.unwrap_or_default();
                let place = format!("{general} of {device} ({})", self.name);
                let on = format!("{place}: its documentation names no setting for it; try a call from inside to see");
                (on, format!("{place}: nothing was switched on"))
            }
        }
    }
}

/// Words for a router that is not known.
pub static GENERAL: Model = Model {
    key: "",
    name: "",
    forward: "port forwards (port sharing)",
    loopback: Some("NAT loopback (NAT reflection, hairpin)"),
    exposed: Some("exposed host (DMZ host)"),
    helper: Some("SIP ALG (SIP passthrough, SIP helper)"),
    sources: &[],
};

/// Every model that is known.
pub static MODELS: &[Model] = &[
    Model {
        key: "fritzbox",
        name: "FRITZ!Box",
        forward: "Internet > Permit Access > Port Sharing (Internet > Freigaben > Portfreigaben)",
        loopback: None,
        exposed: Some("\"Exposed host\" in the port sharing of the device"),
        helper: None,
        sources: &["https://service.avm.de/help/en/FRITZ-Box-7530/019p2/hilfe_portfreigabe"],
    },
    Model {
        key: "tp-link",
        name: "TP-Link",
        forward: "Advanced > NAT Forwarding > Virtual Servers",
        loopback: None,
        exposed: Some("Advanced > NAT Forwarding > DMZ"),
        helper: Some("Advanced > NAT Forwarding > ALG: SIP ALG"),
        sources: &[
            "https://community.tp-link.com/en/home/stories/detail/714",
            "TD-W9960v User Guide, chapter 11 (https://www.easymanua.ls/tp-link/td-w9960v/manual?p=69)",
        ],
    },
    Model {
        key: "asus",
        name: "ASUS",
        forward: "Advanced Settings > WAN > Virtual Server / Port Forwarding",
        loopback: None,
        exposed: Some("Advanced Settings > WAN > DMZ"),
        helper: Some("Advanced Settings > WAN > NAT Passthrough: SIP Passthrough"),
        sources: &[
            "https://nextgendigitalhome.com/the-asus-rt-n16-router-firmware-part-4-advanced-wan-settings/",
            "https://voicetel.com/support/voice/firewall/asus/",
        ],
    },
    Model {
        key: "mikrotik",
        name: "MikroTik",
        forward: "IP > Firewall > NAT: chain dstnat, action dst-nat",
        loopback: Some(
            "IP > Firewall > NAT: for calls from inside a second rule, chain srcnat, action masquerade (hairpin NAT)",
        ),
        exposed: None,
        helper: Some("IP > Firewall > Service Ports: sip"),
        sources: &[
            "https://wiki.mikrotik.com/index.php?title=Manual:IP/Firewall/NAT",
            "https://manual.mikrotik.com/docs/Firewall%20and%20Quality%20of%20Service/",
        ],
    },
    Model {
        key: "unifi",
        name: "UniFi",
        forward: "Port Forwarding in the settings of UniFi Network",
        loopback: Some("a port forward holds for calls from inside too; nothing is to be switched on"),
        exposed: None,
        helper: None,
        sources: &[
            "https://help.ui.com/hc/en-us/articles/16437942532759-UniFi-Gateway-Network-Address-Translation",
            "https://cg1network.com/unifi-hairpin-nat",
        ],
    },
];

/// The words of a model; those that fit most routers where it is not known.
pub fn words(key: Option<&str>) -> &'static Model {
    MODELS.iter().find(|m| Some(m.key) == key).unwrap_or(&GENERAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_model_is_named_once_and_has_a_source() {
        for (n, model) in MODELS.iter().enumerate() {
            assert!(MODELS[..n].iter().all(|other| other.key != model.key), "{}", model.key);
            assert!(!model.name.is_empty() && !model.forward.is_empty(), "{}", model.key);
            assert!(model.sources.iter().any(|s| s.contains("https://")), "{}: what shows its words?", model.key);
            assert!(crate::manifest::WORDS.split_whitespace().any(|w| w == model.key), "{}: a word", model.key);
            assert_eq!(words(Some(model.key)), model);
        }
        assert_eq!((words(None), words(Some("unknown"))), (&GENERAL, &GENERAL));
    }
}
