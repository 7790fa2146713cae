import { expect, test } from "bun:test"
import { parseSecret } from "./secret-request.ts"

const FILE = { kind: "mount", source: "token", target: "token", uid: 0, gid: 0, mode: 0o444 }

test.each([
  ["token", FILE],
  ["token,type=mount", FILE],
  ["source=token", FILE],
  ["src=token,target=/etc/x", { ...FILE, target: "/etc/x" }],
  ["token,target=a/b", { ...FILE, target: "a/b" }],
  ["token,uid=5,gid=6,mode=0400", { ...FILE, uid: 5, gid: 6, mode: 0o400 }],
  ["Token,mode=7", { ...FILE, source: "Token", target: "Token", mode: 7 }],
  ["token,type=env", { kind: "env", source: "token", variable: "token" }],
  ["token,type=env,target=T", { kind: "env", source: "token", variable: "T" }],
])("%s", (text, expected) => {
  expect(parseSecret(text)).toEqual(expected as never)
})

test.each([
  ["", "a field without name"],
  [",type=env", "invalid secret"],
  ["type=env", "no source found"],
  ["token,type=file", "type file is invalid"],
  ["token,type", "has no value"],
  ["token,uid=-1", "is no id"],
  ["token,uid=4294967296", "is no id"],
  ["token,mode=8", "is no octal number"],
  ["token,mode=77777", "is no octal number"],
  ["token,target=..", "is no path of a file"],
  ["token,target=a//b", "is no path of a file"],
  ["token,target=/", "is no path of a file"],
  ["token,type=env,mode=0400", "cannot be set with secret type env"],
  ["token,type=env,target=A=B", "is no name of a variable"],
  ["token,token2", "is unknown"],
])("%p is refused: %s", (text, message) => {
  expect(() => parseSecret(text)).toThrow(message)
})
