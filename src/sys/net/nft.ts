import { FailedPrecondition, NotFound } from "../../base/errors.ts"
import { findProgram } from "../host.ts"
import { installCommand } from "../install-command.ts"
import { runSync } from "../process/run-sync.ts"

/**
 * Gives `text` to nft(8) as one transaction, in the network namespace bound at `netns` or in ours. Some 15 ms: for tables,
 * not for the way of each container. Synchronous, so that it may stand inside a transaction of the records.
 */
export function applyRuleset(text: string, netns?: string): void {
  const nft = findProgram("nft")
  if (nft === undefined)
    throw new NotFound("nft is not installed: it writes the firewall rules of the bridge network", {
      hint: installCommand({ debian: "nftables" }),
    })
  const enter = netns === undefined ? [] : [findProgram("nsenter") ?? "nsenter", `--net=${netns}`]
  const { code, stderr } = runSync([...enter, nft, "-f", "-"], text)
  if (code === 0) return
  const words = stderr.trim()
  throw new FailedPrecondition(`nft refused the firewall rules of the bridge network: ${words.split("\n", 1)[0]}`, {
    hint: { do: "diagnose" },
    cause: new Error(words),
  })
}
