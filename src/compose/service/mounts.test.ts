import { expect, test } from "bun:test"
import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { contextOf } from "./context.suite.ts"
import { digestOfFiles, fileOptions } from "./file-objects.ts"
import { mountOptions } from "./mounts.ts"

const volumes = { data: { name: "p_data" } }

test.each([
  [
    {
      type: "bind",
      source: "/srv/x",
      target: "/x",
      read_only: true,
      bind: { create_host_path: true, propagation: "rslave" },
    },
    { type: "bind", source: "/srv/x", target: "/x", readOnly: true, createSource: true, propagation: "rslave" },
  ],
  [
    { type: "bind", source: "/srv/x", target: "/x", bind: { recursive: "disabled" } },
    { type: "bind", source: "/srv/x", target: "/x", readOnly: false, createSource: false, recursion: "none" },
  ],
  [
    { type: "volume", source: "data", target: "/d", volume: { nocopy: true, subpath: "a/b" } },
    { type: "volume", source: "p_data", target: "/d", readOnly: false, copyUp: false, subpath: "a/b" },
  ],
  [
    { type: "volume", target: "/d", volume: { labels: { a: "b" } } },
    { type: "volume", target: "/d", readOnly: false, copyUp: true, labels: { a: "b" } },
  ],
  [
    { type: "tmpfs", target: "/t", tmpfs: { size: "1048576", mode: 0o1777 } },
    { type: "tmpfs", target: "/t", readOnly: false, sizeBytes: 1_048_576, mode: 0o1777 },
  ],
  [
    { type: "image", source: "debian", target: "/i", image: { subpath: "etc" } },
    { type: "image", source: "debian", target: "/i", readOnly: false, subpath: "etc" },
  ],
] as const)("%j is mounted as %j", (volume, mount) => {
  expect(mountOptions(contextOf({ volumes: [volume as never] }, { volumes })).mounts).toEqual([mount as never])
})

test.each(["npipe", "cluster"] as const)("%p is refused with its key", (type) => {
  expect(() => mountOptions(contextOf({ volumes: [{ type, target: "/x" }] }))).toThrow("services.web.volumes[0]: ")
})

test("volumes without a name are taken over, the image's too", () => {
  const service = { volumes: [{ type: "volume", target: "/d" } as const], tmpfs: ["/run:size=1m"] }
  const inherited = new Map([
    ["/d", "abc"],
    ["/image", "def"],
  ])
  expect(mountOptions(contextOf(service), inherited).mounts).toEqual([
    { type: "volume", target: "/d", readOnly: false, copyUp: true, source: "abc", isAnonymous: true },
    { type: "volume", target: "/image", readOnly: false, copyUp: true, source: "def", isAnonymous: true },
    { type: "tmpfs", target: "/run", readOnly: false, sizeBytes: 1_048_576 },
  ])
})

test("secrets and configs: bound as they are, or copied with an owner", () => {
  const directory = mkdtempSync(join(tmpdir(), "compose-"))
  writeFileSync(join(directory, "s"), "from a file")
  const project = {
    environment: { TOKEN: "from the environment" },
    secrets: {
      plain: { name: "p_plain", file: join(directory, "s") },
      token: { name: "p_token", environment: "TOKEN" },
      kept: { name: "elsewhere", external: true },
    },
    configs: { motd: { name: "p_motd", content: "hello" } },
  }
  const service = {
    secrets: [
      { source: "plain", target: "/run/secrets/plain" },
      { source: "plain", target: "owned", uid: "1000", gid: "100", mode: "0400" },
      { source: "token" },
      { source: "kept" },
    ],
    configs: [{ source: "motd", target: "/etc/motd", mode: "0555" }, { source: "motd" }],
  }
  const files = fileOptions(contextOf(service, project))
  expect(files.binds).toEqual([
    { type: "bind", source: join(directory, "s"), target: "/run/secrets/plain", readOnly: true, createSource: false },
  ])
  expect(files.given.map(({ data, ...file }) => ({ ...file, text: Buffer.from(data).toString() }))).toEqual([
    { name: "p_plain", target: "/run/secrets/owned", uid: 1000, gid: 100, mode: 0o400, text: "from a file" },
    { name: "p_token", target: "/run/secrets/token", uid: 0, gid: 0, mode: 0o444, text: "from the environment" },
    { name: "p_motd", target: "/etc/motd", uid: 0, gid: 0, mode: 0o555, text: "hello" },
    { name: "p_motd", target: "/motd", uid: 0, gid: 0, mode: 0o444, text: "hello" },
  ])
  expect(files.stored).toEqual([
    { kind: "mount", source: "elsewhere", target: "/run/secrets/kept", uid: 0, gid: 0, mode: 0o444 },
  ])
  const other = fileOptions(contextOf(service, { ...project, environment: { TOKEN: "another" } }))
  expect(digestOfFiles(other)).not.toBe(digestOfFiles(files))
})

test("a secret of a variable that is not set is refused in docker's words", () => {
  const project = { secrets: { s: { name: "p_s", environment: "NOPE" } } }
  expect(() => fileOptions(contextOf({ secrets: [{ source: "s" }] }, project))).toThrow(
    'environment variable "NOPE" required by file "p_s" is not set',
  )
})
