//! Plays a guide as a person would: from its text alone, with what pfSense's pages do by themselves.

use crate::dialect::pfsense::splice::sections::{El, Splice, Tree, child, children, own_text, text};
use crate::dialect::pfsense::splice::{field, outbound};
use crate::xml::Item;

/// The configuration after all steps.
pub(super) fn play(steps: &[String], xml: &str) -> String {
    let mut player = Player { xml: xml.to_owned() };
    for (step, n) in steps.iter().zip(1..) {
        let lines: Vec<&str> = step.lines().collect();
        let (mut lines, saved) = match lines.last().unwrap().strip_suffix("  Save") {
            Some(rest) => ([&lines[..lines.len() - 1], &[rest]].concat(), true),
            None => (lines, false),
        };
        let page = lines.remove(0).strip_prefix(&format!("{n}. ")).expect("its number").trim_end();
        let fields: Vec<&str> = lines.iter().map(|l| l.strip_prefix("     ").expect("a margin").trim_end()).collect();
        assert_eq!(saved, page != "Apply Changes", "{step}");
        player.page(page, &Fields(fields));
    }
    player.xml
}

struct Player {
    xml: String,
}

/// Lines of a step.
struct Fields<'a>(Vec<&'a str>);

impl<'a> Fields<'a> {
    fn all<'s>(&'s self, label: &str) -> impl Iterator<Item = &'a str> + use<'a, 's> {
        let label = format!("{label}: ");
        self.0.iter().filter_map(move |l| l.strip_prefix(&label))
    }

    fn get(&self, label: &str) -> Option<&'a str> {
        self.all(label).next()
    }

    fn need(&self, label: &str) -> &'a str {
        self.get(label).unwrap_or_else(|| panic!("{label} in {:?}", self.0))
    }

    fn tick(&self, label: &str) -> Option<bool> {
        let line = self.0.iter().find(|l| l.get(4..) == Some(label))?;
        Some(line.starts_with("[x]"))
    }

    fn family(&self) -> &'static str {
        if self.get("Address Family") == Some("IPv6") { "inet6" } else { "inet" }
    }

    fn protocol(&self) -> Option<String> {
        self.get("Protocol").map(str::to_lowercase)
    }

    fn ports(&self) -> Option<String> {
        let (from, to) = self.get("Destination port range")?.split_once(" to ")?;
        Some(if from == to { from.into() } else { format!("{from}-{to}") })
    }
}

fn empty(text: &str) -> Option<&str> {
    Some(text).filter(|t| !t.is_empty())
}

/// The name of an interface, from what the menus call it.
fn interface(tree: &Tree, shown: &str) -> String {
    let shown = shown.strip_prefix('"').and_then(|s| s.strip_suffix('"')).unwrap_or(shown);
    let listed = tree.section("interfaces").unwrap();
    let mut entries = listed.iter().flat_map(El::children).filter(El::is_element);
    let found = entries.find(|e| text(*e, "descr") == shown).map(|e| e.tag_name().name().to_owned());
    found.unwrap_or_else(|| match shown {
        "OpenVPN" => "openvpn".into(),
        "IPsec" => "enc0".into(),
        _ if ["WAN", "LAN"].contains(&shown) || shown.starts_with("OPT") => shown.to_lowercase(),
        _ => shown.to_owned(),
    })
}

/// The element that a menu's choice stands for.
fn address(tree: &Tree, shown: &str) -> Item {
    if shown == "any" {
        return Item::Empty("any");
    }
    if let Some(address) = shown.strip_prefix("Single host or alias: ").or(shown.strip_prefix("Network: ")) {
        return Item::Text("address", address.into());
    }
    let name = interface(tree, shown.strip_suffix(" address").expect("an interface's address"));
    Item::Text("network", format!("{name}ip"))
}

fn end(name: &'static str, what: Item, port: Option<String>) -> Item {
    Item::Node(name, std::iter::once(what).chain(port.map(|p| Item::Text("port", p))).collect())
}

/// Number of an entry in a list by what a guide calls it.
fn named(list: &[El], name: &str) -> usize {
    let number = name.split("number ").nth(1).and_then(|n| n.split(' ').next()).and_then(|n| n.parse::<usize>().ok());
    if name.starts_with("number ") || name.ends_with(" from the top)") {
        return number.unwrap() - 1;
    }
    let name = name.strip_prefix('"').and_then(|n| n.strip_suffix('"')).expect("a quoted name");
    let found: Vec<usize> = (0..list.len()).filter(|i| text(list[*i], "descr") == name).collect();
    assert_eq!(found.len(), 1, "{name} is one entry");
    found[0]
}

fn count_ports(port: &str) -> u16 {
    port.split_once('-').map_or(0, |(from, to)| to.parse::<u16>().unwrap() - from.parse::<u16>().unwrap())
}

fn inner(local: &str, outer: &str) -> String {
    match (local.parse::<u16>(), count_ports(outer)) {
        (Ok(first), more) if more > 0 => format!("{first}-{}", first + more),
        _ => local.into(),
    }
}

fn tracker(tree: &Tree) -> String {
    let all = tree.root().descendants().filter(|n| n.has_tag_name("tracker"));
    let highest = all.filter_map(|n| own_text(n).parse::<u64>().ok()).max().unwrap_or(0);
    (highest + 1).max(1_000_000_000).to_string()
}

/// pfSense would draw a name at random here; this one follows from what the person typed.
fn link(tree: &Tree, typed: &[&str]) -> String {
    let name = |n: u32| {
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        for byte in format!("{}\n{n}", typed.join("\n")).bytes() {
            hash ^= u64::from(byte);
            hash = hash.wrapping_mul(1_099_511_628_211);
        }
        format!("nat_{:013x}", hash % (1 << 52))
    };
    let taken = |id: &String| tree.root().descendants().any(|n| own_text(n) == *id);
    (0..9).map(name).find(|id| !taken(id)).unwrap()
}

fn cut(descr: &str) -> String {
    let mut all = String::new();
    for c in format!("NAT {descr}").chars() {
        if all.len() + c.len_utf8() > 62 {
            break;
        }
        all.push(c);
    }
    all
}

fn word(item: &Item) -> &str {
    match item {
        Item::Text(_, word) => word,
        _ => "any",
    }
}

impl Player {
    fn splice(&mut self, mut splices: Vec<Splice>) {
        splices.sort_by_key(|s| s.at.start);
        for splice in splices.into_iter().rev() {
            self.xml.replace_range(splice.at, &splice.text);
        }
    }

    fn page(&mut self, page: &str, fields: &Fields) {
        if page == "Apply Changes" {
            return;
        }
        if page == "System > Advanced > Firewall & NAT" {
            return match fields.tick("Disable reply-to on WAN rules") {
                Some(on) => self.system(&Item::Empty("disablereplyto"), on),
                None => self.system(
                    &Item::Text("enablenatreflectionhelper", "yes".into()),
                    fields.tick("Enable automatic outbound NAT for Reflection").unwrap(),
                ),
            };
        }
        if page == "Firewall > NAT > Outbound" {
            return self.outbound_mode(fields.need("Mode"));
        }
        let (page, action) = page.split_once(", ").unwrap();
        match (page, action.split_once(' ').unwrap_or((action, ""))) {
            ("Firewall > NAT > Port Forward", ("Add", _)) => self.add_forward(fields),
            ("Firewall > NAT > Port Forward", ("edit", name)) => self.edit_forward(name, fields),
            ("Firewall > NAT > Outbound", ("Add", _)) => self.add_outbound(fields),
            ("Firewall > Aliases", ("Add", _)) => self.add_alias(fields),
            ("Firewall > Aliases", ("edit", name)) => self.edit_alias(name, fields),
            (page, ("Add", place)) => self.add_rule(page, place.contains("top"), fields),
            (page, ("drag", name)) => self.drag(page, name.strip_prefix("the new rule above ").unwrap()),
            (page, ("edit", name)) => self.edit_rule(page, name, fields),
            other => panic!("{other:?}"),
        }
    }

    /// At the end of a list.
    fn list(&mut self, section: &'static str, name: &str, item: &Item) {
        let tree = Tree::read(&self.xml).unwrap();
        let splice = match (tree.entries(section, name).last(), tree.section(section).unwrap()) {
            (Some(last), _) => tree.after(*last, item),
            (None, None) => tree.append(tree.root(), &Item::Node(section, vec![item.clone()])),
            (None, Some(at)) => match child(at, "separator") {
                Some(separator) => tree.before(separator, item),
                None => tree.append(at, item),
            },
        };
        self.splice(vec![splice]);
    }

    /// Behind the last rule of a tab.
    fn rule(&mut self, tab: &str, item: &Item) {
        let tree = Tree::read(&self.xml).unwrap();
        match tree.entries("filter", "rule").iter().rfind(|r| tab_of(**r) == tab) {
            Some(last) => {
                let splice = tree.after(*last, item);
                self.splice(vec![splice]);
            }
            None => self.list("filter", "rule", item),
        }
    }

    fn system(&mut self, item: &Item, on: bool) {
        let key = item.name();
        if on {
            return self.list("system", key, item);
        }
        let tree = Tree::read(&self.xml).unwrap();
        let keys = children(tree.section("system").unwrap().unwrap(), key).map(|k| tree.remove(k)).collect();
        self.splice(keys);
    }

    fn outbound_mode(&mut self, shown: &str) {
        let mode = ["automatic", "hybrid", "advanced", "disabled"].into_iter().find(|m| outbound::shown(m) == shown);
        let mode = mode.expect("a mode");
        let tree = Tree::read(&self.xml).unwrap();
        let Some(outbound) = outbound::section(&tree) else {
            let splice = outbound::new_section(&tree, Item::Text("mode", mode.into())).unwrap();
            return self.splice(vec![splice]);
        };
        let splice = match child(outbound, "mode") {
            Some(old) => tree.set_text(old, mode, false),
            None => tree.put(outbound, &["mode", "rule"], &Item::Text("mode", mode.into())),
        };
        self.splice(vec![splice]);
    }

    /// To the top of the list.
    fn add_outbound(&mut self, fields: &Fields) {
        let tree = Tree::read(&self.xml).unwrap();
        let to = fields.need("Translation address");
        let to = Some(to).filter(|t| !t.ends_with(" address"));
        let v6 = fields.need("Address Family") == "IPv6";
        let text = |name, value: &str| Item::Text(name, value.to_owned());
        let or_empty = |name, value: Option<&str>| value.map_or(Item::Empty(name), |v| text(name, v));
        let rule = Item::Node(
            "rule",
            vec![
                Item::Node(
                    "source",
                    vec![text("network", fields.need("Source").strip_prefix("Network or Alias: ").unwrap())],
                ),
                Item::Empty("sourceport"),
                Item::Cdata("descr", fields.get("Description").unwrap_or_default().into()),
                or_empty("target", to),
                or_empty("target_subnet", to.map(|_| if v6 { "128" } else { "32" })),
                text("interface", &interface(&tree, fields.need("Interface"))),
                Item::Empty("poolopts"),
                Item::Empty("source_hash_key"),
                text("ipprotocol", if v6 { "inet6" } else { "inet" }),
                Item::Node("destination", vec![Item::Empty("any")]),
            ],
        );
        let rules = outbound::rules(&tree);
        if let Some(first) = rules.first() {
            let splice = tree.before(*first, &rule);
            return self.splice(vec![splice]);
        }
        let splice = match outbound::section(&tree) {
            Some(at) => tree.put(at, &["mode", "rule"], &rule),
            None => outbound::new_section(&tree, rule).unwrap(),
        };
        self.splice(vec![splice]);
    }

    fn add_forward(&mut self, fields: &Fields) {
        let tree = Tree::read(&self.xml).unwrap();
        let interface = interface(&tree, fields.need("Interface"));
        let source = address(&tree, fields.get("Source").unwrap_or("any"));
        let destination = address(&tree, fields.need("Destination"));
        let (protocol, ports) = (fields.protocol().unwrap(), fields.ports().unwrap());
        let (target, local) = (fields.need("Redirect target IP"), fields.need("Redirect target port"));
        let descr = fields.get("Description").unwrap_or_default();
        assert_eq!(fields.need("Filter rule association"), "Add associated filter rule");
        let typed =
            [&interface, fields.family(), &protocol, word(&source), word(&destination), &ports, target, local, descr];
        let id = link(&tree, &typed);
        let tracker = tracker(&tree);
        let common =
            || vec![Item::Text("ipprotocol", fields.family().into()), Item::Text("protocol", protocol.clone())];
        let mut forward =
            vec![end("source", source.clone(), None), end("destination", destination, Some(ports.clone()))];
        forward.extend(common());
        forward.extend([
            Item::Text("target", target.into()),
            Item::Text("local-port", local.into()),
            Item::Text("interface", interface.clone()),
            Item::Cdata("descr", descr.into()),
            Item::Text("associated-rule-id", id.clone()),
        ]);
        forward
            .extend(fields.get("NAT reflection").and_then(reflection).map(|r| Item::Text("natreflection", r.into())));
        let mut rule = vec![end("source", source, None), Item::Text("interface", interface.clone())];
        rule.extend(common());
        rule.push(end("destination", Item::Text("address", target.into()), Some(inner(local, &ports))));
        rule.extend(made(descr, &id, &tracker));
        self.list("nat", "rule", &Item::Node("rule", forward));
        self.rule(&interface, &Item::Node("rule", rule));
    }

    fn edit_forward(&mut self, name: &str, fields: &Fields) {
        let at = named(&Tree::read(&self.xml).unwrap().entries("nat", "rule"), name);
        for line in &fields.0 {
            self.set_forward(at, &Fields(vec![line]));
        }
    }

    /// One field of a forward, and what `saveNATrule` does with its filter rule.
    fn set_forward(&mut self, at: usize, fields: &Fields) {
        let tree = Tree::read(&self.xml).unwrap();
        let forward = tree.entries("nat", "rule")[at];
        let id = text(forward, "associated-rule-id");
        let rules = tree.entries("filter", "rule");
        let rule = rules.iter().copied().find(|r| !id.is_empty() && text(*r, "associated-rule-id") == id);
        let mut splices = Vec::new();
        let mut leaf = |entry: Option<El>, name, value: &str| {
            let order: &[&str] = if entry == Some(forward) { &field::FORWARD } else { &field::RULE };
            splices.extend(entry.map(|e| field::leaf(&tree, e, order, name, value)).into_iter().flatten());
        };
        let outer = || text(child(forward, "destination").unwrap(), "port");
        let local = || empty(&text(forward, "local-port")).map_or_else(|| first(&outer()), str::to_owned);
        if let Some(protocol) = fields.protocol() {
            leaf(Some(forward), "protocol", &protocol);
            leaf(rule, "protocol", &protocol);
        } else if let Some(ports) = fields.ports() {
            leaf(child(forward, "destination"), "port", &ports);
            leaf(rule.and_then(|r| child(r, "destination")), "port", &inner(&local(), &ports));
        } else if let Some(port) = fields.get("Redirect target port") {
            leaf(Some(forward), "local-port", port);
            leaf(rule.and_then(|r| child(r, "destination")), "port", &inner(port, &outer()));
        } else if let Some(target) = fields.get("Redirect target IP") {
            leaf(Some(forward), "target", target);
            let what = Item::Text("address", target.into());
            splices.extend(rule.map(|r| swap(&tree, r, "destination", &what)).into_iter().flatten());
        } else if let Some(shown) = fields.get("Source") {
            let what = address(&tree, shown);
            splices.extend([Some(forward), rule].iter().flatten().flat_map(|e| swap(&tree, *e, "source", &what)));
        } else if let Some(shown) = fields.get("Destination") {
            splices.extend(swap(&tree, forward, "destination", &address(&tree, shown)));
        } else if let Some(on) = fields.tick("Disable this rule") {
            splices.extend(present(&tree, forward, &field::FORWARD, on));
            splices.extend(rule.map(|r| present(&tree, r, &field::RULE, on)).into_iter().flatten());
        } else if let Some(shown) = fields.get("NAT reflection") {
            match reflection(shown) {
                Some(word) => leaf(Some(forward), "natreflection", word),
                None => splices.extend(children(forward, "natreflection").map(|n| tree.remove(n))),
            }
        } else if fields.get("Filter rule association") == Some("None") {
            leaf(Some(forward), "associated-rule-id", "");
            splices.extend(rule.map(|r| tree.remove(r)));
        } else if fields.get("Filter rule association").is_some() {
            return self.associate(at);
        } else {
            let invert =
                ["Source", "Destination"].into_iter().find_map(|w| fields.tick(&format!("Invert match ({w})")));
            assert!(invert == Some(false) || fields.0[0].starts_with('('), "{:?}", fields.0);
        }
        self.splice(splices);
    }

    fn associate(&mut self, at: usize) {
        let tree = Tree::read(&self.xml).unwrap();
        let forward = tree.entries("nat", "rule")[at];
        let or = |name, other: &str| empty(&text(forward, name)).unwrap_or(other).to_owned();
        let (interface, family) = (or("interface", "wan"), or("ipprotocol", "inet"));
        let (protocol, target, descr) = (or("protocol", "").to_lowercase(), or("target", ""), or("descr", ""));
        let copied = |name| {
            let at = child(forward, name)?;
            let what = at.children().find(|n| n.is_element() && ["network", "address"].contains(&n.tag_name().name()));
            let what = match what {
                Some(n) if n.has_tag_name("network") => Item::Text("network", own_text(n)),
                Some(n) => Item::Text("address", own_text(n)),
                None => Item::Empty("any"),
            };
            Some((what, empty(&text(at, "port")).map(str::to_owned), child(at, "not").is_some()))
        };
        let (source, source_port, not) = copied("source").unwrap_or((Item::Empty("any"), None, false));
        let (destination, ports, _) = copied("destination").unwrap();
        let ports = ports.unwrap();
        let local = or("local-port", &first(&ports));
        let typed =
            [&interface, &family, &protocol, word(&source), word(&destination), &ports, &target, &local, &descr];
        let id = match text(forward, "associated-rule-id") {
            none if none.is_empty() || none == "pass" => link(&tree, &typed.map(|t: &str| t)),
            dangling => dangling,
        };
        let inside = match target.as_str() {
            special if special.ends_with("ip") => Item::Text("network", target.clone()),
            _ => Item::Text("address", target.clone()),
        };
        let mut from = vec![source.clone()];
        from.extend(not.then_some(Item::Empty("not")));
        from.extend(source_port.map(|p| Item::Text("port", p)));
        let mut rule = vec![
            Item::Node("source", from),
            Item::Text("interface", interface.clone()),
            Item::Text("ipprotocol", family.clone()),
            Item::Text("protocol", protocol.clone()),
            end("destination", inside, Some(inner(&local, &ports))),
        ];
        rule.extend(child(forward, "disabled").map(|_| Item::Empty("disabled")));
        rule.extend(made(&descr, &id, &tracker(&tree)));
        let splices = field::leaf(&tree, forward, &field::FORWARD, "associated-rule-id", &id);
        self.splice(splices);
        self.rule(&interface, &Item::Node("rule", rule));
    }

    fn add_alias(&mut self, fields: &Fields) {
        let (kind, label) = match fields.need("Type") {
            "Network(s)" => ("network", "Network or FQDN"),
            "Port(s)" => ("port", "Port"),
            _ => ("host", "IP or FQDN"),
        };
        let members: Vec<&str> = fields.all(label).collect();
        let items = vec![
            Item::Text("name", fields.need("Name").into()),
            Item::Text("type", kind.into()),
            Item::Text("address", members.join(" ")),
            Item::Cdata("descr", fields.get("Description").unwrap_or_default().into()),
            Item::Cdata("detail", vec![""; members.len()].join("||")),
        ];
        self.list("aliases", "alias", &Item::Node("alias", items));
    }

    fn edit_alias(&mut self, name: &str, fields: &Fields) {
        let tree = Tree::read(&self.xml).unwrap();
        let alias = tree.entries("aliases", "alias").into_iter().find(|a| format!("\"{}\"", text(*a, "name")) == name);
        let alias = alias.unwrap();
        let members: Vec<&str> = fields.0.iter().map(|l| l.split_once(": ").unwrap().1).collect();
        let address = text(alias, "address");
        let details = text(alias, "detail");
        let rows: Vec<(&str, &str)> = address.split(' ').zip(details.split("||")).collect();
        let detail = |m: &&str| rows.iter().find(|(address, _)| address == m).map_or("", |(_, detail)| detail);
        let kept = members.iter().map(detail).collect::<Vec<_>>().join("||");
        let mut splices = vec![tree.set_text(child(alias, "address").unwrap(), &members.join(" "), false)];
        if let Some(old) = child(alias, "detail").filter(|d| own_text(*d) != kept) {
            splices.push(tree.set_text(old, &kept, true));
        }
        self.splice(splices);
    }

    fn add_rule(&mut self, page: &str, top: bool, fields: &Fields) {
        let tree = Tree::read(&self.xml).unwrap();
        let interface = interface(&tree, fields.need("Interface"));
        let tab = tab(&tree, page);
        let mut items = vec![
            Item::Empty("id"),
            Item::Text("tracker", tracker(&tree)),
            Item::Text("type", fields.need("Action").to_lowercase()),
            Item::Text("interface", interface),
            Item::Text("ipprotocol", fields.family().into()),
        ];
        if fields.tick("Quick: Apply the action immediately on match.") == Some(true) {
            items.push(Item::Text("quick", "yes".into()));
        }
        if tab == "floating" {
            items.push(Item::Text("floating", "yes".into()));
            items.push(Item::Text("direction", fields.need("Direction").into()));
        }
        items.extend([
            Item::Text("protocol", fields.protocol().unwrap()),
            end("source", address(&tree, fields.get("Source").unwrap_or("any")), None),
            end("destination", address(&tree, fields.need("Destination")), fields.ports()),
            Item::Cdata("descr", fields.get("Description").unwrap_or_default().into()),
        ]);
        let item = Item::Node("rule", items);
        let rules = tree.entries("filter", "rule");
        match rules.iter().find(|r| tab_of(**r) == tab).filter(|_| top) {
            Some(first) => {
                let splice = tree.before(*first, &item);
                self.splice(vec![splice]);
            }
            None => self.rule(&tab, &item),
        }
    }

    /// The rule that was added last, which is the last of its tab, goes before another one.
    fn drag(&mut self, page: &str, name: &str) {
        let tree = Tree::read(&self.xml).unwrap();
        let tab = tab(&tree, page);
        let rules: Vec<El> = tree.entries("filter", "rule").into_iter().filter(|r| tab_of(*r) == tab).collect();
        let (moved, others) = rules.split_last().unwrap();
        let before = others[named(others, name)].range();
        let behind = tree.before(*moved, &Item::Empty("x")).text;
        let moved_text = format!("{}{}", &self.xml[moved.range()], behind.rsplit('>').next().unwrap());
        let gone = tree.remove(*moved).at;
        self.xml.replace_range(gone, "");
        self.xml.insert_str(before.start, &moved_text);
    }

    fn edit_rule(&mut self, page: &str, name: &str, fields: &Fields) {
        for line in &fields.0 {
            let tree = Tree::read(&self.xml).unwrap();
            let tab = tab(&tree, page);
            let rules: Vec<El> = tree.entries("filter", "rule").into_iter().filter(|r| tab_of(*r) == tab).collect();
            let rule = rules[named(&rules, name)];
            let one = Fields(vec![line]);
            let leaf = |at: El, name, value: &str| field::leaf(&tree, at, &field::RULE, name, value);
            let splices = if let Some(protocol) = one.protocol() {
                leaf(rule, "protocol", &protocol)
            } else if let Some(ports) = one.ports() {
                leaf(child(rule, "destination").unwrap(), "port", &ports)
            } else if let Some(action) = one.get("Action") {
                leaf(rule, "type", &action.to_lowercase())
            } else if let Some(shown) = one.get("Source") {
                swap(&tree, rule, "source", &address(&tree, shown))
            } else if let Some(shown) = one.get("Destination") {
                swap(&tree, rule, "destination", &address(&tree, shown))
            } else if let Some(on) = one.tick("Disable this rule") {
                present(&tree, rule, &field::RULE, on)
            } else if let Some(on) = one.tick("Disable reply-to") {
                field::presence(&tree, rule, &field::RULE, &Item::Empty("disablereplyto"), on)
            } else if one.get("Gateway") == Some("Default") {
                children(rule, "gateway").map(|g| tree.remove(g)).collect()
            } else if let Some(gateway) = one.get("Gateway") {
                leaf(rule, "gateway", gateway)
            } else {
                assert!(line.starts_with("[ ] Invert match ("), "{line}");
                Vec::new()
            };
            self.splice(splices);
        }
    }
}

fn first(ports: &str) -> String {
    ports.split('-').next().unwrap().to_owned()
}

fn reflection(shown: &str) -> Option<&'static str> {
    match shown {
        "Use system default" => None,
        "Enable (NAT + Proxy)" => Some("enable"),
        "Enable (Pure NAT)" => Some("purenat"),
        "Disable" => Some("disable"),
        other => panic!("{other}"),
    }
}

fn tab(tree: &Tree, page: &str) -> String {
    let shown = page.strip_prefix("Firewall > Rules > ").unwrap();
    if shown == "Floating" { "floating".into() } else { interface(tree, shown) }
}

fn tab_of(rule: El) -> String {
    if text(rule, "floating") == "yes" { "floating".into() } else { text(rule, "interface") }
}

/// End of a filter rule that a forward makes.
fn made(descr: &str, id: &str, tracker: &str) -> Vec<Item> {
    let created = [("time", tracker), ("username", "NAT Port Forward")].map(|(n, v)| Item::Text(n, v.into()));
    vec![
        Item::Cdata("descr", cut(descr)),
        Item::Text("associated-rule-id", id.into()),
        Item::Text("tracker", tracker.into()),
        Item::Node("created", created.into()),
    ]
}

/// Address of an end, without "Invert match".
fn swap(tree: &Tree, entry: El, name: &'static str, what: &Item) -> Vec<Splice> {
    let Some(at) = child(entry, name) else {
        let order: &[&str] = if child(entry, "target").is_some() { &field::FORWARD } else { &field::RULE };
        return vec![tree.put(entry, order, &end(name, what.clone(), None))];
    };
    let mut splices: Vec<Splice> = children(at, "not").map(|n| tree.remove(n)).collect();
    let old = at.children().find(|n| n.is_element() && ["any", "network", "address"].contains(&n.tag_name().name()));
    let old = old.expect("an address");
    if old.tag_name().name() != what.name() || !own_text(old).eq(&word(what).replace("any", "")) {
        splices.push(tree.replace(old, what));
    }
    splices
}

fn present(tree: &Tree, entry: El, order: &[&str], on: bool) -> Vec<Splice> {
    match child(entry, "disabled") {
        None if on => vec![tree.put(entry, order, &Item::Empty("disabled"))],
        Some(old) if !on => vec![tree.remove(old)],
        _ => Vec::new(),
    }
}
