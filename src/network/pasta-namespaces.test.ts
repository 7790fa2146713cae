import { expect, test } from "bun:test"
import { pastaWords } from "./pasta-namespaces.ts"

const words = (options: string[], ports: Parameters<typeof pastaWords>[0]["ports"] = []) =>
  pastaWords({ options, ports }).join(" ")

test("nothing is forwarded unasked, and the host's loopback is not reached by the gateway", () => {
  expect(words([])).toBe("--config-net --no-map-gw --dns-forward 169.254.1.3 -t none -u none -T none -U none")
})

test("what the caller says takes the place of the defaults", () => {
  expect(words(["-t", "auto", "--udp-ns=5353", "--dns-forward", "10.0.2.3", "--map-gw"])).toBe(
    "--config-net -u none -T none -t auto --udp-ns=5353 --dns-forward 10.0.2.3",
  )
})

test("published ports are forwarded, each on its address", () => {
  const ports = [
    { protocol: "tcp", hostPort: 8080, containerPort: 80 },
    { protocol: "udp", hostPort: 53, containerPort: 5353, hostAddress: "127.0.0.1" },
  ] as const
  expect(words([], ports)).toEndWith("-T none -U none -t 8080:80 -u 127.0.0.1/53:5353")
})
