/** Two hundred at a time: addresses, locks and tables hold, and nothing stays. */
import { expect, test } from "bun:test"
import { openStore } from "../support/store.ts"
import { SLOWNESS } from "../support/wait.ts"

const skiff = openStore()
const TOTAL = SLOWNESS > 1 ? 48 : 200
const AT_ONCE = 16

test(`${TOTAL} run --rm, ${AT_ONCE} at a time, all with an address of their own, leave nothing`, async () => {
  const script =
    "ip -4 -o addr show eth0 | awk '{print $4}'; cut -d. -f1 /proc/uptime; sleep 0.2; cut -d. -f1 /proc/uptime"
  const held: { address: string; from: number; to: number }[] = []
  let begun = 0
  const failures: string[] = []
  const executor = async () => {
    while (begun < TOTAL) {
      begun++
      const from = performance.now()
      const { code, stdout, stderr } = await skiff.run(["run", "--rm", "busybox", "sh", "-c", script], {
        timeoutMs: 120_000,
      })
      if (code !== 0) failures.push(`${code}: ${stderr}`)
      held.push({ address: stdout.split("\n")[0] ?? "", from, to: performance.now() })
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, executor))
  expect(failures).toEqual([])
  expect(held.every(({ address }) => /^1[79]2\.\d+\.\d+\.\d+\/\d+$/.test(address))).toBe(true)
  // an address may come back when its holder has gone; never while both run
  const addresses = held.map(({ address }) => address)
  expect(new Set(addresses).size).toBeGreaterThan(AT_ONCE)
  expect(await skiff.ok("ps", "-aq")).toBe("")
  await skiff.leavesNothing()
}, 280_000)

test(`${AT_ONCE} that run together hold ${AT_ONCE} addresses`, async () => {
  const ids = await Promise.all(Array.from({ length: AT_ONCE }, () => skiff.ok("run", "-d", "busybox", "sleep", "100")))
  const format = "{{.NetworkSettings.IPAddress}}"
  const addresses = (await skiff.ok("inspect", "-f", format, ...ids)).split("\n")
  expect(new Set(addresses).size).toBe(AT_ONCE)
  await skiff.ok("rm", "-f", ...ids)
}, 120_000)
