/** What a pull may say who it is by. */
import { expect, test } from "bun:test"
import type { AuthConfig } from "../protocol/messages.ts"
import { accessOf } from "./images.ts"

const auth = (given: Partial<AuthConfig>): AuthConfig => ({
  username: "",
  password: "",
  auth: "",
  server_address: "",
  identity_token: "",
  registry_token: "",
  ...given,
})
const IMAGE = "r.example/app:1"

test("credentials are words for the registry that they name: a password, or a token in its place", () => {
  const user = { username: "me", password: "x" }
  expect(accessOf(null, IMAGE)).toEqual({})
  expect(accessOf(auth({}), IMAGE)).toEqual({})
  expect(accessOf(auth(user), IMAGE)).toEqual({ credentials: user })
  expect(accessOf(auth({ auth: btoa("me:x") }), IMAGE)).toEqual({ credentials: user })
  expect(accessOf(auth({ ...user, identity_token: "i" }), IMAGE)).toEqual({
    credentials: { username: "me", identityToken: "i" },
  })
  expect(accessOf(auth({ ...user, identity_token: "i", registry_token: "r" }), IMAGE)).toEqual({
    credentials: { registryToken: "r" },
  })
  for (const given of [user, { identity_token: "i" }, { registry_token: "r" }]) {
    expect(accessOf(auth({ ...given, server_address: "https://r.example/v2/" }), IMAGE)).not.toEqual({})
    expect(accessOf(auth({ ...given, server_address: "other.example" }), IMAGE)).toEqual({})
  }
  const invalid = expect.objectContaining({ code: "InvalidArgument" })
  for (const text of ["a b", "a\r\nx: y", "\0"])
    for (const name of ["identity_token", "registry_token"])
      expect(() => accessOf(auth({ [name]: text }), IMAGE)).toThrow(invalid)
  expect(() => accessOf(auth({ auth: btoa("none") }), IMAGE)).toThrow(invalid)
})
