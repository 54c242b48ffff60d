//! Wanted changes as `nft` commands: only additions, each tagged with a comment, so that they can be found and taken
//! back. Every command is appended to the text and read before the next one is chosen. Where a text does not end at the end
//! of a command, the whole text is read at the end.

mod editor;
mod helper;
mod intents;
mod load;
mod names;
mod owners;
#[cfg(test)]
mod tests;
mod way;
mod write;

use super::ast::{self, Ruleset, TableFamily};
use super::lower::lower;
use super::print::{self, family as family_word};
use super::text;
use crate::change::{Printed, Refused, Step, StepKind, Wanted};
use crate::model::{ChainId, Family, OriginId, Pipeline, SourceId, SourceSpan, StageKind};
use crate::snapshot::Source;
pub(super) use editor::Ruleset as Open;
pub use helper::without_helper;
pub(super) use load::load;
use names::identifier;
use way::Point;
use write::{ChainName, remove, remove_table, shell, tag};

/// What makes wanted things true on a device whose rules are the text `source`. `pipeline` is the one in which the
/// wanted things' origins are numbered.
///
/// # Errors
/// When the rules are given as JSON, or when additions alone cannot do it; the message is for a person.
pub fn print(source: SourceId, sources: &[Source], pipeline: &Pipeline, wanted: &[Wanted]) -> Result<Printed, Refused> {
    Plan::new(source, sources)?.print(pipeline, wanted)
}

/// A table that is read behind a text, to see that commands there are read by themselves.
const PROBE: &str = "callpath_probe";

/// A statement of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// A rule.
    Rule(Point),
    /// A chain's end.
    End(ChainId),
}

/// Where a rule goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// Before all others of the chain.
    Start(ChainId),
    /// Directly before what decides, as far as that can be named: by its handle, or because nothing follows.
    Before(Point),
}

/// Commands so far, and what the text means with them.
#[derive(Debug, Clone)]
pub(in crate::dialect) struct Plan {
    source: SourceId,
    sources: Vec<Source>,
    /// The tags that the text had before.
    taken: Vec<Box<str>>,
    tag: String,
    /// What is added at the end is read by itself.
    follows: bool,
    ast: Ruleset,
    pipeline: Pipeline,
    live: Vec<String>,
    undo: Vec<String>,
    made: Vec<(TableFamily, Box<str>)>,
    /// What else a person should know.
    notes: Vec<String>,
}

impl Plan {
    /// A text as it is, to be changed.
    ///
    /// # Errors
    /// When it is JSON, or not everything in it was understood.
    pub fn new(source: SourceId, sources: &[Source]) -> Result<Self, Refused> {
        let mut plan = Self {
            source,
            sources: sources.to_vec(),
            taken: Vec::new(),
            tag: String::new(),
            follows: false,
            ast: Ruleset::default(),
            pipeline: Pipeline::default(),
            live: Vec::new(),
            undo: Vec::new(),
            made: Vec::new(),
            notes: Vec::new(),
        };
        if plan.text().trim_start_matches('\u{feff}').trim_start().starts_with('{') {
            return Err(Refused("give the rules as text: `nft list ruleset`".into()));
        }
        plan.read()?;
        if let Some(unread) = plan.ast.unread.first() {
            return Err(Refused(format!("`{}` was not understood: {}", unread.text, unread.why)));
        }
        plan.taken = plan
            .ast
            .tables
            .iter()
            .flat_map(|t| &t.chains)
            .flat_map(|c| &c.rules)
            .filter_map(|r| r.comment.clone())
            .collect();
        Ok(plan)
    }

    /// What makes wanted things true on the device: see [`print`].
    ///
    /// # Errors
    /// When additions alone cannot do it.
    pub fn print(mut self, pipeline: &Pipeline, wanted: &[Wanted]) -> Result<Printed, Refused> {
        for one in wanted {
            self.name(&one.name);
            let deciding = one.deciding.and_then(|id| self.find(pipeline, id));
            self.intent(&one.intent, deciding)?;
            // What one wanted thing adds may be all that the next one needs.
            if self.live.is_empty() {
                return Err(Refused(format!("the rules of this text do not stop `{}`; something else does", one.name)));
            }
        }
        if self.follows {
            debug_assert!(self.read_whole().is_ok(), "what follows a text is not read by itself: {:?}", self.live);
        } else {
            self.read_whole()?;
        }
        Ok(self.printed())
    }

    fn text(&mut self) -> &mut String {
        &mut self.sources[usize::from(self.source.0)].text
    }

    fn read(&mut self) -> Result<(), Refused> {
        let (ast, follows) = match self.read_with_more() {
            Some(ast) => (ast, true),
            None => (text::parse(self.source, &self.sources).map_err(|e| Refused(e.message))?, false),
        };
        (self.ast, self.follows) = (ast, follows);
        self.lower();
        Ok(())
    }

    /// The text, if a command behind it is read by itself.
    fn read_with_more(&mut self) -> Option<Ruleset> {
        let text = self.text();
        let length = text.len();
        if text.contains(PROBE) {
            return None;
        }
        text.push_str("\nadd table ip ");
        text.push_str(PROBE);
        text.push('\n');
        let read = text::parse(self.source, &self.sources);
        self.text().truncate(length);
        let mut ast = read.ok()?;
        let last = ast.tables.pop()?;
        let alone = last.chains.is_empty() && last.sets.is_empty() && last.objects.is_empty() && !last.dormant;
        (alone && &*last.name == PROBE && ast.unread.is_empty()).then_some(ast)
    }

    fn lower(&mut self) {
        self.pipeline = Pipeline::default();
        lower(&self.ast, true, &mut self.pipeline);
    }

    /// The text as a whole means what its parts meant, read one after the other.
    fn read_whole(&self) -> Result<(), Refused> {
        let whole = text::parse(self.source, &self.sources).map_err(|e| Refused(e.message))?;
        if whole == self.ast {
            return Ok(());
        }
        Err(Refused("what would be added would mean something else at the end of this text: change it by hand".into()))
    }

    /// The tag of what follows; no rule of the text has it already.
    fn name(&mut self, name: &str) {
        self.tag = tag(name);
        let mut n = 1;
        while self.taken.iter().any(|t| **t == *self.tag) {
            n += 1;
            self.tag = tag(&format!("{} ({n})", name.chars().take(80).collect::<String>()));
        }
    }

    /// The statement of this text that an origin of another pipeline names.
    fn find(&self, pipeline: &Pipeline, id: OriginId) -> Option<Found> {
        let at = pipeline.origins.get(id.0 as usize)?.at;
        let same = |id: OriginId| self.pipeline.origin(id).at == at && at != SourceSpan::default();
        for (i, chain) in self.pipeline.chains.iter().enumerate() {
            let id = ChainId(u32::try_from(i).ok()?);
            if let Some(rule) = chain.rules.iter().position(|r| same(r.origin)) {
                return Some(Found::Rule((id, rule)));
            }
            if same(chain.origin) {
                return Some(Found::End(id));
            }
        }
        None
    }

    /// A chain of the pipeline as the text declares it.
    fn declared(&self, id: ChainId) -> Option<(&ast::Table, &ast::Chain)> {
        let chain = self.pipeline.chain(id);
        let at = self.pipeline.origin(chain.origin).at;
        let all = self.ast.tables.iter().flat_map(|t| t.chains.iter().map(move |c| (t, c)));
        all.into_iter().find(|(_, c)| c.at == at && c.name == chain.name)
    }

    /// A chain as commands name it.
    fn chain_name(&self, id: ChainId) -> Result<ChainName, Refused> {
        let (table, chain) =
            self.declared(id).ok_or_else(|| Refused("the chain that decides has no name in this text".into()))?;
        if matches!(table.family, TableFamily::Netdev | TableFamily::Bridge | TableFamily::Arp) {
            let of = format!("table {} {}", family_word(table.family), table.name);
            return Err(Refused(format!("{of} decides before the router's own rules do; change it by hand")));
        }
        if chain.name.starts_with("__chain") {
            return Err(Refused("the rules that decide stand in a chain without a name: give it one".into()));
        }
        identifier(&table.name)?;
        identifier(&chain.name)?;
        Ok(ChainName { family: table.family, table: table.name.clone(), chain: chain.name.clone() })
    }

    /// Appends a command. `live`: the same for a shell, where handles are known.
    fn command(&mut self, file: &str, live: &str) -> Result<(), Refused> {
        let text = self.text();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        let from = text.len();
        text.push_str(file);
        text.push('\n');
        self.live.push(shell(live));
        let before = std::mem::take(&mut self.ast);
        self.ast = text::more(before, self.source, &self.sources, from).map_err(|e| Refused(e.message))?;
        self.lower();
        Ok(())
    }

    /// Adds a rule.
    fn rule(&mut self, at: At, rule: &str) -> Result<(), Refused> {
        let (At::Start(id) | At::Before((id, _))) = at;
        let chain = self.chain_name(id)?;
        let rule = format!("{rule} comment \"{}\"", self.tag);
        let start = format!("insert rule {chain} {rule}");
        let (file, live) = match at {
            At::Start(_) => (start.clone(), start),
            At::Before((_, i)) => {
                let rules = self.declared(id).map_or(&[][..], |(_, c)| &c.rules);
                match rules.get(i) {
                    None => (format!("add rule {chain} {rule}"), format!("add rule {chain} {rule}")),
                    // Handles are the kernel's: a file that is loaded gets others, and there the number counts.
                    Some(ast::Rule { handle: Some(handle), .. }) => (
                        format!("insert rule {chain} index {i} {rule}"),
                        format!("insert rule {chain} handle {handle} {rule}"),
                    ),
                    Some(_) => (start.clone(), start),
                }
            }
        };
        let undo = remove(&chain, &self.tag);
        if !self.undo.contains(&undo) {
            self.undo.push(undo);
        }
        let before = self.rules();
        self.command(&file, &live)?;
        self.holds(&chain, &rule, &before)
    }

    /// How many rules each chain has, in the order of the text.
    fn rules(&self) -> Vec<(ChainName, usize)> {
        let chains = self.ast.tables.iter().flat_map(|t| t.chains.iter().map(move |c| (t, c)));
        let name = |t: &ast::Table, c: &ast::Chain| ChainName {
            family: t.family,
            table: t.name.clone(),
            chain: c.name.clone(),
        };
        chains.map(|(t, c)| (name(t, c), c.rules.len())).collect()
    }

    /// The text that was just read again holds the rule that was meant, at the chain that was meant, and nothing else that
    /// is new.
    fn holds(&self, chain: &ChainName, rule: &str, before: &[(ChainName, usize)]) -> Result<(), Refused> {
        let wrong = || Refused(format!("`{rule}` would mean something else in {chain}: change it by hand"));
        let (meant, more) = text::rule(chain.family, rule, 0).map_err(|_| wrong())?;
        let meant: Vec<String> = meant.iter().map(print::stmt).collect();
        let one_more = |(name, count): &(ChainName, usize)| (name.clone(), count + usize::from(name == chain));
        let expected: Vec<(ChainName, usize)> = before.iter().map(one_more).collect();
        let tables = self.ast.tables.iter().filter(|t| t.family == chain.family && t.name == chain.table);
        let mut rules = tables.flat_map(|t| &t.chains).filter(|c| c.name == chain.chain).flat_map(|c| &c.rules);
        let here = rules.any(|r| {
            r.comment.as_deref() == Some(&*self.tag) && r.stmts.iter().map(print::stmt).collect::<Vec<_>>() == meant
        });
        if here && more.is_empty() && self.ast.unread.is_empty() && self.rules() == expected {
            Ok(())
        } else {
            Err(wrong())
        }
    }

    /// Makes a base chain in a table of its own.
    fn make_chain(&mut self, family: TableFamily, name: &str, base: &str) -> Result<ChainId, Refused> {
        let word = family_word(family);
        let is_ours = |t: &&ast::Table| t.family == family && &*t.name == "callpath";
        let mut free = name.to_owned();
        match self.ast.tables.iter().find(is_ours) {
            None => {
                self.made.push((family, "callpath".into()));
                let table = format!("add table {word} callpath");
                self.command(&table, &table)?;
            }
            Some(table) => {
                while table.chains.iter().any(|c| *c.name == *free) {
                    free.push('2');
                }
            }
        }
        let chain = format!("add chain {word} callpath {free} {{ {base}; policy accept; }}");
        self.command(&chain, &chain)?;
        let found = (0..self.pipeline.chains.len())
            .filter_map(|i| u32::try_from(i).ok().map(ChainId))
            .find(|id| self.declared(*id).is_some_and(|(t, c)| is_ours(&t) && *c.name == *free));
        found.ok_or_else(|| Refused("the table that was made is not there".into()))
    }

    /// Entry chains of a hook's translation for a family, in the order in which they are asked.
    fn nat_chains(&self, hook: crate::model::Hook, family: Family) -> Vec<ChainId> {
        let mut out = Vec::new();
        for stage in self.pipeline.hooks[hook as usize].iter().filter(|s| s.families.has(family)) {
            if let StageKind::Translate { chains, .. } = &stage.kind {
                out.extend(chains.iter().map(|(id, _)| *id));
            }
        }
        out
    }

    fn printed(mut self) -> Printed {
        self.undo.reverse();
        self.undo.extend(self.made.iter().rev().map(|(family, table)| remove_table(*family, table)));
        let mut keep = vec!["add the same lines to the file that is loaded at boot".to_owned()];
        keep.extend(self.owners());
        keep.append(&mut self.notes);
        let place = "on the device, as root".to_owned();
        let script = |lines, by| Step { kind: StepKind::Shell(by), ..Step::by_hand(place.clone(), lines) };
        let undo = vec![script(self.undo, "callpath render nftables --undo")];
        let steps = vec![
            script(self.live, "callpath render nftables"),
            Step::by_hand("so that it stays after a restart", keep),
        ];
        Printed { text: self.sources.swap_remove(usize::from(self.source.0)).text, steps, undo }
    }

    /// Programs that write rules of this text anew.
    fn owners(&self) -> Vec<String> {
        let tables = self.ast.tables.iter();
        let found = tables.flat_map(|t| {
            owners::of_table(&t.name).into_iter().chain(t.chains.iter().filter_map(|c| owners::owner(&c.name)))
        });
        let mut out = Vec::new();
        for (owner, note) in found.filter_map(|o| Some((o, o.note?))) {
            let line = format!("{} writes its rules anew when it {note}", owner.program);
            if !out.contains(&line) {
                out.push(line);
            }
        }
        out
    }
}
