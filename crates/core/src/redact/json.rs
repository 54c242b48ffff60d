//! JSON: what `nft -j` and `ip -j` print.

use super::Redactor;
use super::address::{broadcast, is_network};
use serde_json::{Map, Value};
use std::net::IpAddr;

impl Redactor {
    /// The text with pseudonyms; nothing when it is no JSON.
    pub fn json(&mut self, text: &str) -> Option<String> {
        let mut value: Value = serde_json::from_str(text).ok()?;
        self.value(&mut value);
        Some(value.to_string() + "\n")
    }

    fn value(&mut self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.scan(text, true),
            Value::Array(list) => list.iter_mut().for_each(|v| self.value(v)),
            Value::Object(object) => self.object(object),
            _ => {}
        }
    }

    fn object(&mut self, object: &mut Map<String, Value>) {
        let address = |v: Option<&Value>| v.and_then(Value::as_str).and_then(|t| t.parse::<IpAddr>().ok());
        // A network in two fields.
        let bits = object.get("len").and_then(Value::as_u64).and_then(|n| u8::try_from(n).ok());
        let network = address(object.get("addr")).zip(bits).filter(|(ip, bits)| is_network(*ip, *bits));
        if let Some([from, to]) = object.get("range").and_then(Value::as_array).map(Vec::as_slice)
            && let (Some(from), Some(to)) = (address(Some(from)), address(Some(to)))
        {
            self.addresses.range(from, to);
        }
        let length = object.get("prefixlen").and_then(Value::as_u64).and_then(|n| u8::try_from(n).ok());
        let own = address(object.get("local")).zip(length);
        for (key, value) in object.iter_mut() {
            match (key.as_str(), &mut *value) {
                ("comment" | "ifalias" | "prefix", Value::String(text)) => *text = self.description(text),
                ("addr", Value::String(text)) if network.is_some() => {
                    if let Some((ip, bits)) = network {
                        *text = self.addresses.network(ip, bits).to_string();
                    }
                }
                // The last address of the interface's own network, if that is what it is.
                ("broadcast", Value::String(text)) => {
                    *text = match own {
                        Some((IpAddr::V4(ip), bits)) if *text == broadcast(ip, bits).to_string() => {
                            match self.addresses.address(IpAddr::V4(ip)) {
                                IpAddr::V4(new) => broadcast(new, bits).to_string(),
                                IpAddr::V6(_) => self.scan(text, true),
                            }
                        }
                        _ => self.scan(text, true),
                    };
                }
                // What things are called here is referred to from elsewhere.
                ("name" | "table" | "chain" | "set" | "ifname" | "dev" | "family" | "type", Value::String(text)) => {
                    *text = self.scan(text, false);
                }
                _ => self.value(value),
            }
        }
    }
}
