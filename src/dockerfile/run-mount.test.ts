import { describe, expect, test } from "bun:test"
import { mountSource, parseRunMount, type MountFlag } from "./run-mount.ts"

const parse = (text: string) => parseRunMount(text, (value) => value.replace("$X", "expanded"))

describe("parseRunMount()", () => {
  const good: [text: string, mount: Partial<MountFlag>][] = [
    ["target=/x", { type: "bind", target: "/x", readOnly: true }],
    ["type=bind,source=a,dst=/x,rw", { type: "bind", source: "a", target: "/x", readOnly: false }],
    ["from=stage,src=/a,destination=b,readonly=false", { from: "stage", source: "/a", target: "b", readOnly: false }],
    ["type=CACHE,target=/c,sharing=Locked,id=i", { type: "cache", id: "i", sharing: "locked", readOnly: false }],
    [
      "type=cache,target=$X,mode=0750,uid=1,gid=2,ro",
      { target: "expanded", mode: 0o750, uid: 1, gid: 2, readOnly: true },
    ],
    ["type=tmpfs,target=/t,size=1m", { type: "tmpfs", sizeBytes: 1024 ** 2 }],
    ["type=secret,id=s,env=TOKEN,required", { type: "secret", id: "s", env: "TOKEN", required: true }],
    ["type=secret,src=s,target=/s,mode=400,required=false", { source: "s", mode: 0o400, required: false }],
    ["type=ssh,required=true,mode=0666", { type: "ssh", required: true, mode: 0o666 }],
    ['type=bind,"source=a,b",target=/x', { source: "a,b" }],
    ['"source=a ""b""",target=/x', { source: 'a "b"' }],
  ]
  test.each(good)("%s", (text, mount) => expect(parse(text)).toMatchObject(mount))

  const bad: [text: string, why: string][] = [
    ["type=bind,target=/x,bind-propagation=shared", "unexpected key 'bind-propagation'"],
    ["type=bind,target=/x,bind-propagation", "must be a key=value pair"],
    ["type=bnd,target=/x", 'unsupported mount type "bnd" (did you mean bind?)'],
    ["type=bind,target", "must be a key=value pair"],
    ["tpye=bind", "unexpected key 'tpye' in 'tpye=bind' (did you mean type?)"],
    ["type=cache,target=/c,sharing=all", 'unsupported sharing value "all"'],
    ["type=bind,target=/x,sharing=shared", "invalid cache sharing set for bind mount"],
    ["type=bind,target=/x,mode=0700", 'mode not allowed for "bind" type mounts'],
    ["type=cache,target=/x,mode=9", "invalid value 9 for mode"],
    ["type=cache,target=/x,uid=-1", "invalid value -1 for uid"],
    ["type=bind,target=/x,size=1", "unexpected key 'size' for mount type 'bind'"],
    ["type=bind,required,target=/x", "unexpected key 'required' for mount type 'bind'"],
    ["type=bind,env=X,target=/x", "unexpected key 'env' for mount type 'bind'"],
    ["type=bind,target=/x,ro=maybe", "invalid value for ro: maybe"],
    ["type=secret", "one of source, target required"],
    ["type=secret,id=a,source=b", "both source and id can't be set"],
    ["type=secret,id=a,from=x", "should not have a from"],
    ["type=ssh,source=x", "ssh does not support source"],
    ['type=bind,"target=/x', "failed to parse csv mounts"],
    ["", "must be a key=value pair"],
    ["target=/x,", "must be a key=value pair"],
    ['target=/x"y', "failed to parse csv mounts"],
    ['"target=/x"y', "failed to parse csv mounts"],
  ]
  test.each(bad)("refuses %p", (text, why) => expect(() => parse(text)).toThrow(why))
})

test("mountSource() is known before variables are, so it may hold none", () => {
  expect(mountSource("type=bind,from=build,target=$X")).toBe("build")
  expect(mountSource("type=cache,target=/c")).toBeUndefined()
  expect(() => mountSource("from=$STAGE")).toThrow("doesn't support variable expansion")
})
