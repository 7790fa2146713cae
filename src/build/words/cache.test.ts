import { describe, expect, test } from "bun:test"
import { readCacheSource, readCacheTarget } from "./cache.ts"

const FORM = {
  mode: "min",
  layers: { compression: "gzip" },
  document: "manifest",
  mediaTypes: "oci",
  mounts: true,
  ignoreError: false,
}
const digest = `sha256:${"a".repeat(64)}`

describe("--cache-from", () => {
  test.each([
    ["type=registry,ref=r.example/x:c", { type: "registry", names: ["r.example/x:c"] }],
    ["r.example/x:c", { type: "registry", names: ["r.example/x:c"] }],
    ["r.example:5000/x", { type: "registry", names: ["r.example:5000/x:buildcache", "r.example:5000/x:latest"] }],
    ["type=local,src=/c", { type: "local", path: "/c", tag: "latest" }],
    [`type=local,src=/c,tag=t,digest=${digest}`, { type: "local", path: "/c", tag: "t", digest }],
  ])("%s", (text, source) => expect(readCacheSource(text)).toEqual(source as never))

  test.each([
    ["type=inline", "by the image's name"],
    ["type=gha", "type gha are not supported"],
    ["type=s3,bucket=x", "type s3 are not supported"],
    ["type=azblob", "type azblob are not supported"],
    ["type=nfs", 'unknown cache type "nfs"'],
    ["ref=x", "type is required"],
    ["type=registry", "needs ref=NAME"],
    ["type=registry,ref=x,mode=max", 'unknown key "mode"'],
    ["type=local", "needs src=DIRECTORY"],
    ["type=local,src=/c,digest=sha256:x", "invalid digest"],
    ["type=local,src=/c,tag=../x", "invalid tag"],
    ["", "expected type="],
  ])("%s is refused", (text, message) => expect(() => readCacheSource(text)).toThrow(message))
})

describe("--cache-to", () => {
  test.each([
    ["type=registry,ref=r.example/x:c", { type: "registry", name: "r.example/x:c", ...FORM }],
    ["r.example/x", { type: "registry", name: "r.example/x:buildcache", ...FORM }],
    ["type=inline", { type: "inline" }],
    ["type=inline,mode=min", { type: "inline" }],
    [
      "type=local,dest=/c,tag=t,mode=max,compression=zstd,ignore-error=true,cache-mounts=false",
      {
        ...FORM,
        type: "local",
        path: "/c",
        tag: "t",
        mode: "max",
        layers: { compression: "zstd" },
        ignoreError: true,
        mounts: false,
      },
    ],
    [
      "type=registry,ref=x:c,image-manifest=false,compression=uncompressed",
      { ...FORM, type: "registry", name: "x:c", document: "index", layers: { compression: "none" } },
    ],
    [
      "type=registry,ref=x:c,oci-mediatypes=false,compression-level=9,force-compression=true",
      {
        ...FORM,
        type: "registry",
        name: "x:c",
        document: "index",
        mediaTypes: "docker",
        layers: { compression: "gzip", level: 9 },
      },
    ],
  ])("%s", (text, target) => expect(readCacheTarget(text)).toEqual(target as never))

  test.each([
    ["type=gha,scope=x", "type gha are not supported"],
    ["type=inline,mode=max", "holds the image's own steps"],
    ["type=inline,ref=x", 'unknown key "ref"'],
    ["type=local", "needs dest=DIRECTORY"],
    ["type=local,src=/c", 'unknown key "src"'],
    ["type=registry,ref=x,mode=all", 'unknown cache mode "all"'],
    ["type=registry,ref=x,compression=estargz", 'unsupported compression "estargz"'],
    ["type=registry,ref=x,compression=uncompressed,compression-level=3", "unsupported compression"],
    ["type=registry,ref=x,compression-level=10", "from 0 to 9"],
    ["type=registry,ref=x,image-manifest=true,oci-mediatypes=false", "needs oci-mediatypes=true"],
    ["type=registry,ref=x,ignore-error=maybe", "expected true or false"],
  ])("%s is refused", (text, message) => expect(() => readCacheTarget(text)).toThrow(message))
})
