import { describe, expect, test } from "bun:test"
import type { ContainerChanges } from "./changes.ts"
import { changedSpec } from "./changed-spec.ts"
import type { Resources } from "./container.ts"
import { resolveOptions } from "./options.ts"
import type { ContainerSpec } from "./record.ts"
import type { PortMapping } from "../spec/docker/port-mapping.ts"

const MIB = 1024 * 1024
const port = (hostPort: number, containerPort: number, hostAddress?: string): PortMapping => ({
  protocol: "tcp",
  hostPort,
  containerPort,
  ...(hostAddress === undefined ? {} : { hostAddress }),
})

function specOf(given: { resources?: Resources; ports?: PortMapping[]; env?: string[]; autoRemove?: boolean }) {
  const { ports = [], env = [], ...rest } = given
  return {
    options: resolveOptions({ image: "busybox", ports, ...rest }),
    run: { ports, env },
  } as unknown as ContainerSpec
}
const change = (given: Parameters<typeof specOf>[0], changes: ContainerChanges) => changedSpec(specOf(given), changes)
const resources = (given: Resources, changes: ContainerChanges["resources"]) =>
  change({ resources: given }, { resources: changes }).options.resources

describe("changedSpec()", () => {
  test("times of a check need one; an action may be taken back; no check has no startup check", () => {
    expect(() => change({}, { health: { intervalMs: 1000 } })).toThrow("healthcheck command is not set")
    const checked = change(
      {},
      { health: { test: ["CMD", "true"], onFailure: "kill", startup: { test: ["CMD", "x"] } } },
    )
    const timed = changedSpec(checked, { health: { retries: 9, onFailure: undefined } })
    expect(timed.run.healthcheck).toEqual({ Test: ["CMD", "true"], Retries: 9 })
    expect(timed.options.health?.onFailure).toBeUndefined()
    const none = changedSpec(timed, { health: { disabled: true } })
    expect(none.run.healthcheck).toEqual({ Test: ["NONE"] })
    expect(none.options.health?.startup).toBeUndefined()
  })

  test("keeps what is not named, and lifts what is null", () => {
    expect(resources({ memoryBytes: MIB, cpuShares: 5 }, { cpuShares: null, pidsLimit: 3 })).toEqual({
      memoryBytes: MIB,
      pidsLimit: 3,
    })
  })

  test("one way to bound the time takes the place of the other", () => {
    expect(resources({ cpuQuotaUs: 1000, cpuPeriodUs: 5000 }, { cpus: 2 })).toEqual({ cpus: 2 })
    expect(resources({ cpus: 2 }, { cpuQuotaUs: 1000 })).toEqual({ cpuQuotaUs: 1000 })
  })

  test("memory grows beyond a bound of swap only together with that", () => {
    const given = { memoryBytes: 64 * MIB, memorySwapBytes: 128 * MIB }
    expect(() => resources(given, { memoryBytes: 256 * MIB })).toThrow("memoryswap")
    expect(resources(given, { memoryBytes: 256 * MIB, memorySwapBytes: -1 }).memorySwapBytes).toBe(-1)
    expect(resources({ memoryBytes: 64 * MIB, memorySwapBytes: -1 }, { memoryBytes: 256 * MIB }).memorySwapBytes).toBe(
      -1,
    )
    expect(resources(given, { memoryBytes: null })).toEqual({})
  })

  test("ports come and go in what runs and in what was asked for", () => {
    const given = { ports: [port(8080, 80), port(0, 81), port(9090, 80, "127.0.0.1")] }
    const left = (unpublish: PortMapping[], publish: PortMapping[] = []) => {
      const { options, run } = change(given, { ports: { publish, unpublish } })
      expect(options.ports).toEqual(run.ports)
      return run.ports.map(({ hostPort, containerPort }) => `${hostPort}:${containerPort}`)
    }
    expect(left([port(8080, 80)], [port(8081, 80)])).toEqual(["0:81", "9090:80", "8081:80"])
    expect(left([port(0, 80)])).toEqual(["0:81"])
    expect(left([port(0, 80, "127.0.0.1")])).toEqual(["8080:80", "0:81"])
    expect(left([port(32768, 81)])).toEqual(["8080:80", "9090:80"])
    for (const missing of [port(8081, 80), port(8080, 82), port(8080, 80, "127.0.0.1")])
      expect(() => left([missing])).toThrow("is not published as that")
  })

  test("the environment is changed by name", () => {
    const given = { env: ["PATH=/bin", "A=1", "B=2"] }
    expect(change(given, { env: ["A=x=y", "C="], unsetEnv: ["B", "D"] }).run.env).toEqual(["PATH=/bin", "A=x=y", "C="])
  })

  test("one that is removed at its end is not restarted", () => {
    const always = { name: "always", maximumRetryCount: 0 } as const
    expect(() => change({ autoRemove: true }, { restart: always })).toThrow("AutoRemove")
    expect(change({}, { restart: always }).options.restart).toEqual(always)
  })
})
