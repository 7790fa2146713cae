import { existsSync, readdirSync, readFileSync } from "node:fs"
import { release } from "node:os"
import { advisePortability, type HostFacts } from "../../../advise/advise.ts"
import { hostPlatform } from "../../../spec/platform.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { alignCells } from "../../output/columns.ts"
import { NO_LOOKS } from "../../advise/scan-defaults.ts"

export default command({
  summary: "Say what an image needs of a host, and whether this one has it",
  args: [arg.one("IMAGE", "images")],
  flags: { json: flag.bool("Print one JSON array") },
  async run({ args: [name], flags, engine, out }) {
    const [images, scans] = await Promise.all([engine.images(), engine.scans()])
    const config = await images.config(images.get(name))
    await using subject = await scans.open({ kind: "image", name }, NO_LOOKS)
    const needs = advisePortability(config, subject.tree, hostFacts())
    if (flags.json) out.json(needs)
    else
      for (const line of alignCells([
        ["NEED", "IMAGE", "THIS HOST", "RESULT"],
        ...needs.map(({ need, wanted, host, status }) => [need, wanted, host, status]),
      ]))
        out.line(line.trimEnd())
    return needs.some(({ status }) => status === "missing") ? 1 : 0
  },
})

function hostFacts(): HostFacts {
  const binfmt = "/proc/sys/fs/binfmt_misc"
  const port = "/proc/sys/net/ipv4/ip_unprivileged_port_start"
  const lines = existsSync("/proc/self/uid_map") ? readFileSync("/proc/self/uid_map", "utf8").trim().split("\n") : []
  const ids = lines.reduce((sum, line) => sum + Number(line.trim().split(/\s+/)[2] ?? 0), 0)
  return {
    architecture: hostPlatform().architecture,
    kernel: release(),
    emulators: existsSync(binfmt) ? readdirSync(binfmt) : [],
    ids: ids >= 4_294_967_295 ? undefined : ids,
    // root may listen anywhere
    lowestPort:
      process.getuid?.() === 0 && ids >= 4_294_967_295
        ? 0
        : Number(existsSync(port) ? readFileSync(port, "utf8") : 1024),
  }
}
