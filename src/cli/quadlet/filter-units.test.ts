import { expect, test } from "bun:test"
import { unitFilter } from "./filter-units.ts"

const web = { Name: "web.container", Status: "active", Pod: "shop.pod" }
const shop = { Name: "shop.pod", Status: "Not loaded", Pod: "" }
const found = (...filters: string[]) => [web, shop].filter(unitFilter(filters)).map(({ Name }) => Name)

test.each([
  [[], ["web.container", "shop.pod"]],
  [["name=web*"], ["web.container"]],
  [["name=*"], ["web.container", "shop.pod"]],
  [["name=web"], []],
  [["name=w?b.container"], ["web.container"]],
  [["name=webXcontainer"], []],
  [["status=Not loaded"], ["shop.pod"]],
  [["status=active", "status=failed"], ["web.container"]],
  [["pod=shop.pod"], ["web.container"]],
  [["pod=shop.pod", "name=shop*"], []],
])("quadlet list --filter %j finds %j", (filters, names) => expect(found(...filters)).toEqual(names))

test("a filter that there is not is refused with those that there are", () => {
  expect(() => unitFilter(["colour=red"])).toThrow("invalid filter 'colour'")
})
