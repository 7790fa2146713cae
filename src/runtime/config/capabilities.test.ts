import { expect, test } from "bun:test"
import { CAPABILITIES, capabilitySets, chooseCapabilities, DEFAULT_CAPABILITIES } from "./capabilities.ts"

const choose = (capAdd: string[], capDrop: string[], privileged = false, available = CAPABILITIES): string[] =>
  chooseCapabilities({ capAdd, capDrop, privileged }, available)

test("the default is docker's fourteen", () => {
  expect(choose([], [])).toHaveLength(14)
  expect(choose([], []).toSorted()).toEqual(DEFAULT_CAPABILITIES.toSorted())
})

test("names are taken with and without CAP_, in any case", () => {
  expect(choose(["net_admin"], [])).toContain("CAP_NET_ADMIN")
  expect(choose(["CAP_NET_ADMIN"], [])).toContain("CAP_NET_ADMIN")
  expect(choose([], ["cap_chown"])).not.toContain("CAP_CHOWN")
})

test("ALL dropped leaves what is added; ALL added leaves out what is dropped", () => {
  expect(choose(["chown"], ["ALL"])).toEqual(["CAP_CHOWN"])
  expect(choose(["all"], ["chown"])).toEqual(CAPABILITIES.filter((name) => name !== "CAP_CHOWN"))
  expect(choose(["all"], ["all"])).toEqual(CAPABILITIES)
})

test("privileged is all that we have ourselves, and no more", () => {
  expect(choose([], [], true, ["CAP_CHOWN"])).toEqual(["CAP_CHOWN"])
  expect(choose([], [], false, ["CAP_CHOWN"])).toEqual(["CAP_CHOWN"])
})

test("an unknown name is refused with the nearest one", () => {
  expect(() => choose(["net_admn"], [])).toThrow(
    expect.objectContaining({ code: "InvalidArgument", hint: { nearest: "CAP_NET_ADMIN" } }),
  )
  expect(() => choose([], ["nonsense"])).toThrow(expect.objectContaining({ code: "InvalidArgument" }))
  expect(() => choose(["bpf"], [], false, ["CAP_CHOWN"])).toThrow(/not available here/)
})

test("ambient are those that are asked for by name, of what there is; none else", () => {
  const names = ["CAP_CHOWN", "CAP_NET_BIND_SERVICE"]
  expect(capabilitySets(names)).toMatchObject({ inheritable: [], ambient: [] })
  const kept = ["CAP_NET_BIND_SERVICE"]
  expect(capabilitySets(names, ["net_bind_service", "SYS_ADMIN"])).toMatchObject({ inheritable: kept, ambient: kept })
  expect(() => capabilitySets(names, ["nonsense"])).toThrow()
})
