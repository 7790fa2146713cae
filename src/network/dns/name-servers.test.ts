import { expect, test } from "bun:test"
import { mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { HostNameServers } from "./name-servers.ts"

test("a changed resolv.conf is followed: written in place, renamed, removed, and behind a link", () => {
  const directory = mkdtempSync(join(tmpdir(), "skiff-resolv-"))
  try {
    const path = join(directory, "resolv.conf")
    const servers = new HostNameServers(path)
    expect(servers.now()).toEqual(["127.0.0.1"])
    writeFileSync(path, "nameserver 192.0.2.1\n")
    expect(servers.now()).toEqual(["192.0.2.1"])
    writeFileSync(path, "nameserver 192.0.2.2\n")
    expect(servers.now()).toEqual(["192.0.2.2"])
    writeFileSync(`${path}.new`, "search a.example\nnameserver 127.0.0.53\nnameserver 2001:db8::1\n")
    renameSync(`${path}.new`, path)
    expect(servers.now()).toEqual(["127.0.0.53", "2001:db8::1"])
    unlinkSync(path)
    expect(servers.now()).toEqual(["127.0.0.1"])
    writeFileSync(join(directory, "behind"), "nameserver 192.0.2.3\n")
    symlinkSync("behind", path)
    expect(servers.now()).toEqual(["192.0.2.3"])
    writeFileSync(join(directory, "behind"), "nameserver 192.0.2.4\n")
    expect(servers.now()).toEqual(["192.0.2.4"])
  } finally {
    rmSync(directory, { recursive: true })
  }
})
