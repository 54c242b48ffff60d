//! Settings of a kernel, in files and in manifests.

use super::Redactor;

impl Redactor {
    /// `sysctl -a`: the parts of each name, of which one may be an interface's.
    pub(crate) fn settings(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for line in text.split_inclusive('\n') {
            let body = line.trim_end_matches(['\n', '\r']);
            match body.split_once('=') {
                Some((name, value)) if !body.trim_start().starts_with(['#', ';']) => {
                    out += &self.setting(name);
                    out.push('=');
                    out += &self.scan(value);
                }
                _ => out += body.find(['#', ';']).map_or("", |at| &body[at..=at]),
            }
            out += &line[body.len()..];
        }
        out
    }

    /// A setting's name. With dots between its parts, a dot in an interface's name is a slash, and the other way round
    /// (sysctl(8)).
    pub(crate) fn setting(&mut self, name: &str) -> String {
        let sign = if name.find('/') < name.find('.') && name.contains('/') { '/' } else { '.' };
        let (sign, other) =
            if sign == '/' || !name.contains('.') && name.contains('/') { ('/', ".") } else { ('.', "/") };
        let parts: Vec<String> = name
            .split(sign)
            .map(|part| {
                let plain = part.trim_matches([' ', '\t', '-']);
                let lead = part.find(plain).unwrap_or(0);
                let new = self.scan(&plain.replace(other, "."));
                format!("{}{}{}", &part[..lead], new.replace('.', other), &part[lead + plain.len()..])
            })
            .collect();
        parts.join(&sign.to_string())
    }
}
