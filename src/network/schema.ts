import type { Schema } from "../base/database.ts"

/**
 * Addresses are numbers, so that they compare and count. `last_address` goes round: an address is not used again at once.
 * An endpoint names the process that holds its namespace: with it gone, the row may be taken over whatever the container's
 * own record says. Its addresses stand in the bridge's guard until the next endpoint is made (`network_stale_sources`): an element
 * without its interface lets nothing through, and taking it out would hold up the end of the process. `inner_port` is what the host's port
 * is called inside the pause process's namespace (rootless-ports.ts); as root it is the same.
 */
export const networkSchema: Schema = {
  domain: "network",
  steps: [
    `CREATE TABLE networks (
      id TEXT PRIMARY KEY,
      name TEXT NOT NULL UNIQUE,
      driver TEXT NOT NULL,
      bridge TEXT NOT NULL UNIQUE,
      subnet TEXT NOT NULL,
      gateway TEXT NOT NULL,
      last_address INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE network_endpoints (
      container_id TEXT NOT NULL,
      network_id TEXT NOT NULL REFERENCES networks (id),
      address INTEGER NOT NULL,
      host_interface TEXT NOT NULL,
      pid INTEGER NOT NULL,
      pid_start_time INTEGER NOT NULL,
      boot_id TEXT NOT NULL,
      PRIMARY KEY (container_id, network_id),
      UNIQUE (network_id, address)
    ) STRICT;
    CREATE TABLE network_ports (
      protocol TEXT NOT NULL,
      host_port INTEGER NOT NULL,
      host_address TEXT NOT NULL,
      container_id TEXT NOT NULL,
      network_id TEXT NOT NULL,
      address INTEGER NOT NULL,
      container_port INTEGER NOT NULL,
      inner_port INTEGER NOT NULL,
      PRIMARY KEY (protocol, host_port, host_address),
      FOREIGN KEY (container_id, network_id) REFERENCES network_endpoints (container_id, network_id) ON DELETE CASCADE
    ) STRICT;
    CREATE INDEX network_ports_container ON network_ports (container_id)`,
    `ALTER TABLE network_endpoints ADD COLUMN mac_address TEXT NOT NULL DEFAULT '';
    CREATE TABLE network_stale_sources (
      host_interface TEXT NOT NULL,
      mac_address TEXT NOT NULL,
      address INTEGER NOT NULL
    ) STRICT`,
    // where it may not send, as refusals.ts writes it
    "ALTER TABLE network_endpoints ADD COLUMN refused TEXT NOT NULL DEFAULT ''",
    // options: NetworkOptions; names: what it is called on its network, a JSON list; no IPv6 address: empty
    `ALTER TABLE networks ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE networks ADD COLUMN subnet6 TEXT NOT NULL DEFAULT '';
    ALTER TABLE networks ADD COLUMN gateway6 TEXT NOT NULL DEFAULT '';
    ALTER TABLE networks ADD COLUMN options TEXT NOT NULL DEFAULT '{}';
    ALTER TABLE network_endpoints ADD COLUMN address6 TEXT NOT NULL DEFAULT '';
    ALTER TABLE network_endpoints ADD COLUMN names TEXT NOT NULL DEFAULT '[]'`,
    // each port that an ordinary user publishes asks who is called so inside
    "CREATE INDEX network_ports_inner ON network_ports (protocol, inner_port)",
    // who is asked for names that are none of ours, a JSON list; empty: the network's, or the host's
    "ALTER TABLE network_endpoints ADD COLUMN name_servers TEXT NOT NULL DEFAULT '[]'",
    // addresses that somebody asked for: theirs whether they run or not
    `CREATE TABLE network_leases (
      network_id TEXT NOT NULL REFERENCES networks (id) ON DELETE CASCADE,
      address TEXT NOT NULL,
      container_id TEXT NOT NULL,
      PRIMARY KEY (network_id, address)
    ) STRICT;
    CREATE INDEX network_leases_container ON network_leases (container_id)`,
    // every bridge network has IPv6, also those of earlier versions: fd, and random digits (RFC 4193); no group begins with 0, as RFC 5952 has it
    `UPDATE networks SET subnet6 = printf('fd%02x:%x:%x:%x::/64', abs(random() % 256),
      4096 + abs(random() % 61440), 4096 + abs(random() % 61440), 4096 + abs(random() % 61440))
      WHERE driver = 'bridge' AND subnet6 = '';
    UPDATE networks SET gateway6 = replace(subnet6, '::/64', '::1') WHERE gateway6 = '' AND subnet6 <> '';
    ALTER TABLE network_stale_sources ADD COLUMN address6 TEXT NOT NULL DEFAULT '';
    CREATE INDEX network_endpoints_address6 ON network_endpoints (network_id, address6)`,
    // where it may send, as egress/rules.ts writes it, and what its resolver heard for it
    `CREATE TABLE network_egress (
      container_id TEXT NOT NULL,
      network_id TEXT NOT NULL,
      rules TEXT NOT NULL,
      PRIMARY KEY (container_id, network_id),
      FOREIGN KEY (container_id, network_id) REFERENCES network_endpoints (container_id, network_id) ON DELETE CASCADE
    ) STRICT;
    CREATE TABLE network_heard (
      container_id TEXT NOT NULL,
      network_id TEXT NOT NULL,
      name TEXT NOT NULL,
      address TEXT NOT NULL,
      expires_at INTEGER NOT NULL,
      PRIMARY KEY (container_id, network_id, name, address),
      FOREIGN KEY (container_id, network_id) REFERENCES network_endpoints (container_id, network_id) ON DELETE CASCADE
    ) STRICT`,
  ],
}
