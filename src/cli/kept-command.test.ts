import { expect, test } from "bun:test"
import { keptCommand } from "./kept-command.ts"

test("a password for the registry is not kept, in either form", () => {
  expect(keptCommand(["run", "--creds", "me:secret", "-d", "image"], [])).toEqual(["run", "-d", "image"])
  expect(keptCommand(["run", "--creds=me:secret", "-d", "image"], [])).toEqual(["run", "-d", "image"])
})

test("the words of the program stay as they are", () => {
  const words = ["tool", "--creds", "its:own", "--creds=x"]
  expect(keptCommand(["run", "--creds", "a:b", "image", ...words], words)).toEqual(["run", "image", ...words])
})
