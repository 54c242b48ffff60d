//! Programs that write rules, and what becomes of a rule that is added to theirs.

/// A program, by what the names of its chains or its table begin with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner {
    /// Names begin with this.
    pub begins: &'static str,
    /// The program.
    pub program: &'static str,
    /// When it writes its rules, and what to do instead; absent where no rule of ours goes there.
    pub note: Option<&'static str>,
    /// It empties these chains then, though not the chains that lead to them.
    pub anew: bool,
}

/// The chain that Docker leaves to its user (moby, `daemon/libnetwork/firewall_linux.go`).
pub(super) const USER_CHAIN: &str = "DOCKER-USER";

/// Chains of programs. ufw empties its chains when it reloads (`ufw-init-functions`), Docker when it starts (moby,
/// `libnetwork/drivers/bridge/setup_ip_tables_linux.go`), fail2ban when it starts or stops (`action.d/iptables.conf`),
/// libvirt when it starts (`src/network/network_iptables.c`).
const CHAINS: &[Owner] = &[
    Owner { begins: "ufw-", program: "ufw", note: Some("reloads: enter the same with ufw"), anew: true },
    Owner { begins: "ufw6-", program: "ufw", note: Some("reloads: enter the same with ufw"), anew: true },
    Owner { begins: USER_CHAIN, program: "Docker", note: Some("reloads: DOCKER-USER stays"), anew: false },
    Owner { begins: "DOCKER", program: "Docker", note: Some("reloads: DOCKER-USER stays"), anew: true },
    Owner { begins: "f2b-", program: "fail2ban", note: None, anew: true },
    Owner { begins: "LIBVIRT_", program: "libvirt", note: None, anew: true },
];

/// Tables that one program has for itself.
const TABLES: &[Owner] = &[
    Owner {
        begins: "firewalld",
        program: "firewalld",
        note: Some("reloads: enter the same with firewall-cmd --permanent"),
        anew: true,
    },
    Owner {
        begins: "fw4",
        program: "OpenWrt's fw4",
        note: Some("reloads: enter the same in /etc/config/firewall"),
        anew: true,
    },
];

/// The program to which a chain belongs.
pub(super) fn owner(chain: &str) -> Option<&'static Owner> {
    CHAINS.iter().find(|o| chain.starts_with(o.begins))
}

/// The program to which a table belongs.
pub(super) fn of_table(table: &str) -> Option<&'static Owner> {
    TABLES.iter().find(|o| table == o.begins)
}
