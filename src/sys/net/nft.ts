import { writeFileSync } from "node:fs"
import { FailedPrecondition, NotFound } from "../../base/errors.ts"
import { findProgram } from "../host.ts"
import { installCommand } from "../install-command.ts"
import { run } from "../process/process.ts"

/**
 * Has nft(8) do `text` as one transaction, in the network namespace bound at `netns` or in ours. Some 15 ms, in which others go on:
 * for tables, not for the way of each container. `file`: where the text may lie meanwhile, of any length.
 */
export async function applyRuleset(text: string, file: string, netns?: string): Promise<void> {
  const nft = findProgram("nft")
  if (nft === undefined)
    throw new NotFound("nft is not installed: it writes the firewall rules of the bridge network", {
      hint: installCommand({ debian: "nftables" }),
    })
  writeFileSync(file, text, { mode: 0o600 })
  const enter = netns === undefined ? [] : [findProgram("nsenter") ?? "nsenter", `--net=${netns}`]
  const { code, stderr } = await run([...enter, nft, "-f", file])
  if (code === 0) return
  const words = stderr.trim()
  throw new FailedPrecondition(`nft refused the firewall rules of the bridge network: ${words.split("\n", 1)[0]}`, {
    hint: { do: "diagnose" },
    cause: new Error(words),
  })
}
