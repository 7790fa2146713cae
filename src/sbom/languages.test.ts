import { afterEach, beforeEach, expect, test } from "bun:test"
import { execFileSync } from "node:child_process"
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { deflateSync } from "node:zlib"
import { findPackages } from "./find-packages.ts"
import { parsePnpmLock } from "./lock/node.ts"
import { parsePackagesLockJson } from "./lock/nuget.ts"
import { parseGoMod } from "./lock/others.ts"
import type { FileParser } from "./reading.ts"
import { cpuMs } from "../../test/support/cpu-time.ts"

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "skiff-languages-"))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function write(path: string, content: string | Buffer): string {
  const file = join(root, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, content)
  return file
}

const found = (isProject = true) =>
  findPackages(root, { isProject }).packages.map(
    ({ kind, name, version, isDevelopment }) => `${kind} ${name}@${version}${isDevelopment === true ? " dev" : ""}`,
  )

test.each<[string, string, string[]]>([
  [
    "package-lock.json",
    `{"lockfileVersion":3,"packages":{"":{"name":"own","version":"1.0.0"},"node_modules/a":{"version":"1.2.3","license":"MIT"},
     "node_modules/a/node_modules/@s/b":{"version":"2.0.0","dev":true},"packages/w":{"version":"1.0.0"},"node_modules/w":{"link":true}}}`,
    ["npm @s/b@2.0.0 dev", "npm a@1.2.3"],
  ],
  [
    "package-lock.json",
    `{"lockfileVersion":1,"dependencies":{"a":{"version":"1.2.3","dependencies":{"b":{"version":"2.0.0","dev":true}}}}}`,
    ["npm a@1.2.3", "npm b@2.0.0 dev"],
  ],
  [
    "yarn.lock",
    `# yarn lockfile v1\n\n"@babel/core@^7.0.0", "@babel/core@^7.1.0":\n  version "7.24.0"\n  resolved "https://r/x"\n\nlodash@^4.17.20:\n  version "4.17.21"\n  dependencies:\n    x "^1"\n`,
    ["yarn @babel/core@7.24.0", "yarn lodash@4.17.21"],
  ],
  [
    "yarn.lock",
    `__metadata:\n  version: 8\n\n"lodash@npm:^4.17.20":\n  version: 4.17.21\n  resolution: "lodash@npm:4.17.21"\n\n"own@workspace:.":\n  version: 0.0.0-use.local\n  resolution: "own@workspace:."\n`,
    ["yarn lodash@4.17.21"],
  ],
  [
    "pnpm-lock.yaml",
    `lockfileVersion: 5.4\n\npackages:\n\n  /@s/a/1.0.0_b@2.0.0:\n    resolution: {integrity: x}\n    dev: true\n\n  /lodash/4.17.21:\n    dev: false\n`,
    ["pnpm @s/a@1.0.0 dev", "pnpm lodash@4.17.21"],
  ],
  [
    "pnpm-lock.yaml",
    `lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      a:\n        version: 1.0.0\npackages:\n\n  '@s/a@1.0.0':\n    resolution: {integrity: x}\n\n  react-dom@18.2.0(react@18.2.0):\n    engines: {node: '>=1'}\nsnapshots:\n  other@1.0.0: {}\n`,
    ["pnpm @s/a@1.0.0", "pnpm react-dom@18.2.0"],
  ],
  [
    "bun.lock",
    `{\n "lockfileVersion": 1,\n "packages": {\n  "a": ["a@1.2.3", "", {"x": [1,],}, "sha512-x,]"],\n  "w": ["w@workspace:w"],\n },\n}\n`,
    ["bun a@1.2.3"],
  ],
  [
    "requirements.txt",
    "flask==2.0.1 ; python_version > '3'\nrequests[socks]==2.25.0 # x\nnumpy>=1\n-r other.txt\n",
    ["pip flask@2.0.1", "pip requests@2.25.0"],
  ],
  [
    "Pipfile.lock",
    `{"default":{"a":{"version":"==1.0"}},"develop":{"b":{"version":"==2.0"}}}`,
    ["pipenv a@1.0", "pipenv b@2.0 dev"],
  ],
  [
    "poetry.lock",
    `[[package]]\nname = "a"\nversion = "1.0"\ncategory = "dev"\n\n[package.dependencies]\nb = "*"\n\n[[package]]\nname = "c"\nversion = "2"\n`,
    ["poetry a@1.0 dev", "poetry c@2"],
  ],
  [
    "uv.lock",
    `version = 1\n[[package]]\nname = "own"\nversion = "0"\nsource = { virtual = "." }\n[[package]]\nname = "a"\nversion = "1.0"\nsource = { registry = "https://pypi.org/simple" }\n`,
    ["uv a@1.0"],
  ],
  [
    "Cargo.lock",
    `version = 3\n\n[[package]]\nname = "serde"\nversion = "1.0.1"\ndependencies = [\n "x",\n]\n`,
    ["cargo serde@1.0.1"],
  ],
  [
    "go.mod",
    `module m\n\ngo 1.22\n\nrequire (\n\tgithub.com/a/b v1.2.3 // indirect\n\tx.org/y v0.1.0\n)\nrequire z.org/z v1.0.0\nreplace x.org/y => x.org/fork v0.2.0\n`,
    ["gomod github.com/a/b@v1.2.3", "gomod x.org/fork@v0.2.0", "gomod z.org/z@v1.0.0"],
  ],
  [
    "pom.xml",
    `<project><parent><groupId>g</groupId><version>9</version></parent><artifactId>own</artifactId><properties><v>1.${"$"}{w}</v><w>2</w></properties><dependencyManagement><dependencies><dependency><groupId>g</groupId><artifactId>m</artifactId><version>3</version></dependency></dependencies></dependencyManagement><dependencies><dependency><groupId>g</groupId><artifactId>a</artifactId><version>${"$"}{v}</version></dependency><dependency><groupId>g</groupId><artifactId>m</artifactId></dependency><dependency><groupId>g</groupId><artifactId>t</artifactId><version>1</version><scope>test</scope></dependency></dependencies></project>`,
    ["pom g:a@1.2", "pom g:m@3", "pom g:t@1 dev"],
  ],
  [
    "gradle.lockfile",
    "# x\ncom.a:b:1.0=compileClasspath,runtimeClasspath\ncom.a:t:2.0=testCompileClasspath\nempty=\n",
    ["gradle com.a:b@1.0", "gradle com.a:t@2.0 dev"],
  ],
  [
    "Gemfile.lock",
    "GEM\n  remote: https://rubygems.org/\n  specs:\n    nokogiri (1.15.0-x86_64-linux)\n      racc (~> 1.4)\n    racc (1.7.1)\n",
    ["bundler nokogiri@1.15.0", "bundler racc@1.7.1"],
  ],
  [
    "composer.lock",
    `{"packages":[{"name":"a/b","version":"v1.2.3","license":["MIT"]}],"packages-dev":[{"name":"c/d","version":"2.0"}]}`,
    ["composer a/b@1.2.3", "composer c/d@2.0 dev"],
  ],
  [
    "mix.lock",
    `%{\n  "jason": {:hex, :jason, "1.4.1", "af1f", [:mix], [], "hexpm", "fbb0"},\n}\n`,
    ["hex jason@1.4.1"],
  ],
  [
    "pubspec.lock",
    `packages:\n  http:\n    dependency: "direct main"\n    description:\n      name: http\n    version: "0.13.5"\nsdks:\n  dart: ">=2"\n`,
    ["pub http@0.13.5"],
  ],
  [
    "Package.resolved",
    `{"pins":[{"identity":"swift-nio","location":"https://github.com/apple/swift-nio.git","state":{"version":"2.41.0"}}],"version":2}`,
    ["swift github.com/apple/swift-nio@2.41.0"],
  ],
  [
    "Podfile.lock",
    `PODS:\n  - AFNetworking (4.0.1):\n    - AFNetworking/NSURLSession (= 4.0.1)\n  - Alamofire (5.0.0)\n\nDEPENDENCIES:\n  - Other (1.0)\n`,
    ["cocoapods AFNetworking@4.0.1", "cocoapods Alamofire@5.0.0"],
  ],
  [
    "conan.lock",
    `{"version":"0.5","requires":["zlib/1.2.11#rev%1"],"build_requires":["cmake/3.1#r"]}`,
    ["conan cmake@3.1 dev", "conan zlib@1.2.11"],
  ],
  [
    "packages.lock.json",
    `{"version":1,"dependencies":{"net6.0":{"Newtonsoft.Json":{"type":"Direct","resolved":"13.0.1"},"own":{"type":"Project"}}}}`,
    ["nuget Newtonsoft.Json@13.0.1"],
  ],
  ["packages.config", `<?xml version="1.0"?><packages><package id="A" version="1.0" /></packages>`, ["nuget A@1.0"]],
  [
    "app.deps.json",
    `{"libraries":{"own/1.0":{"type":"project"},"A.B/2.0.0":{"type":"package"}}}`,
    ["dotnet-core A.B@2.0.0"],
  ],
  [
    "specifications/rake-13.0.6.gemspec",
    `Gem::Specification.new do |s|\n  s.name = "rake".freeze\n  s.version = "13.0.6"\n  s.licenses = ["MIT".freeze]\nend\n`,
    ["gemspec rake@13.0.6"],
  ],
  ["vendor/composer/installed.json", `{"packages":[{"name":"a/b","version":"1.0"}]}`, ["composer-vendor a/b@1.0"]],
  [
    "opt/conda/conda-meta/numpy-1.0.json",
    `{"name":"numpy","version":"1.0","license":"BSD-3-Clause"}`,
    ["conda-pkg numpy@1.0"],
  ],
])("of %s", (path, text, expected) => {
  write(path, text)
  expect(found()).toEqual(expected)
})

test("Cargo.lock tells of what is installed in an image as well", () => {
  write("app/Cargo.lock", `version = 3\n[[package]]\nname = "time"\nversion = "0.1.42"\n`)
  expect(found(false)).toEqual(["cargo time@0.1.42"])
})

test("lock files tell nothing in an image, and installed ones nothing beside a lock", () => {
  write("package-lock.json", `{"lockfileVersion":3,"packages":{"node_modules/a":{"version":"1.0.0"}}}`)
  write("node_modules/b/package.json", `{"name":"b","version":"2.0.0"}`)
  expect(found(true)).toEqual(["npm a@1.0.0"])
  expect(found(false)).toEqual(["node-pkg b@2.0.0"])
})

test("a package that dpkg brought is marked", () => {
  write("var/lib/dpkg/status", "Package: python3-six\nStatus: install ok installed\nVersion: 1.16\n")
  write("var/lib/dpkg/info/python3-six.list", "/.\n/usr/lib/python3/dist-packages/six-1.16.egg-info\n")
  write("usr/lib/python3/dist-packages/six-1.16.egg-info", "Name: six\nVersion: 1.16\n")
  write("usr/local/lib/own-2.egg-info", "Name: own\nVersion: 2\n")
  const { packages } = findPackages(root)
  expect(packages.map(({ name, ownedBy }) => [name, ownedBy])).toEqual([
    ["python3-six", undefined],
    ["own", undefined],
    ["six", "python3-six"],
  ])
})

test("what is to be skipped is not looked at", () => {
  write("a/x/requirements.txt", "a==1\n")
  write("b/requirements.txt", "b==1\n")
  const { packages } = findPackages(root, { isProject: true, skipDirectories: ["**/x"], skipFiles: ["c/*"] })
  expect(packages.map(({ name }) => name)).toEqual(["b"])
})

/** A JAR in a WAR, made by Python's zip. */
const makeJars = `
import io, sys, zipfile
def jar(files, to):
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as z:
        for name, data in files: z.writestr(name, data)
inner = io.BytesIO()
jar([("META-INF/maven/org.apache.logging.log4j/log4j-core/pom.properties", "groupId=org.apache.logging.log4j\\nartifactId=log4j-core\\nversion=2.14.1\\n")], inner)
jar([("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\\r\\nBundle-SymbolicName: com.example.app\\r\\n"), ("WEB-INF/lib/log4j-core-2.14.1.jar", inner.getvalue())], sys.argv[1])
bomb = io.BytesIO(); jar([("a.jar", b"\\0" * (80 * 1024 * 1024))], bomb)
jar([("b.jar", bomb.getvalue())], sys.argv[2])
`

test("of a JAR in a WAR, by what Maven leaves in it and by its name; a bomb is cut, and said", () => {
  execFileSync("python3", ["-c", makeJars, join(root, "app-1.0.war"), join(root, "bomb.jar")])
  const { packages, leftOut } = findPackages(root)
  expect(packages.map(({ name, version, foundIn }) => `${name}@${version} ${foundIn}`)).toEqual([
    "com.example:app@1.0 /app-1.0.war",
    "org.apache.logging.log4j:log4j-core@2.14.1 /app-1.0.war/WEB-INF/lib/log4j-core-2.14.1.jar",
  ])
  expect(leftOut).toEqual(["parts of /bomb.jar, which are too deep, too large or damaged"])
})

function sectionRow(name: number, offset: number, size: number): Buffer {
  const bytes = Buffer.alloc(64)
  bytes.writeUInt32LE(name, 0)
  bytes.writeBigUInt64LE(BigInt(offset), 24)
  bytes.writeBigUInt64LE(BigInt(size), 32)
  return bytes
}

/** A text as Go counts it: seven bits a byte. */
function counted(value: string): Buffer {
  const bytes = Buffer.from(value, "latin1")
  return Buffer.concat([Buffer.from([(bytes.length & 0x7f) | 0x80, bytes.length >> 7]), bytes])
}

/** An ELF file of 64 bits with one section of that name. */
function elf(section: string, content: Buffer): Buffer {
  const names = Buffer.from(`\0.shstrtab\0${section}\0`)
  const [namesAt, contentAt] = [64, 64 + names.length]
  const table = contentAt + content.length
  const head = Buffer.alloc(64)
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]).copy(head)
  head.writeBigUInt64LE(BigInt(table), 40)
  head.writeUInt16LE(64, 58)
  head.writeUInt16LE(3, 60)
  head.writeUInt16LE(1, 62)
  const rows = [Buffer.alloc(64), sectionRow(1, namesAt, names.length), sectionRow(11, contentAt, content.length)]
  return Buffer.concat([head, names, content, ...rows, Buffer.alloc(20_000)])
}

test("of a program of Go's, with what was replaced, and of an auditable one of Rust's", () => {
  const modules = `${"s".repeat(16)}path\tx\nmod\tx\t(devel)\t\ndep\tgithub.com/a/b\tv1.0.0\th1:\ndep\told.org/c\tv1.0.0\n=>\tnew.org/c\tv2.0.0\th1:\n${"e".repeat(16)}`
  const head = Buffer.alloc(32)
  Buffer.from("\xff Go buildinf:", "latin1").copy(head)
  head[14] = 8
  head[15] = 2
  chmodSync(
    write("usr/bin/tool", elf(".go.buildinfo", Buffer.concat([head, counted("go1.21.5"), counted(modules)]))),
    0o755,
  )
  const audit = deflateSync(
    JSON.stringify({
      packages: [
        { name: "serde", version: "1.0.1" },
        { name: "cc", version: "1.0.0", kind: "build" },
      ],
    }),
  )
  chmodSync(write("usr/bin/rust", elf(".dep-v0", audit)), 0o755)
  expect(found(false)).toEqual([
    "rustbinary serde@1.0.1",
    "gobinary github.com/a/b@v1.0.0",
    "gobinary new.org/c@v2.0.0",
    "gobinary stdlib@v1.21.5",
  ])
})

test("damaged files of each kind tell of nothing, soon, and stop nothing", () => {
  const names = ["package-lock.json", "bun.lock", "pom.xml", "packages.config", "x.jar", "composer.lock", "yarn.lock"]
  let seed = 3
  const noise = Buffer.from(
    Array.from({ length: 200_000 }, () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
      return (seed >> 16) & 0xff
    }),
  )
  for (const name of names) write(name, noise)
  write("deep/package-lock.json", "[".repeat(1_000_000))
  write("many/pom.xml", "<dependency><groupId>".repeat(50_000))
  const startedAt = cpuMs()
  expect(findPackages(root, { isProject: true }).packages.length).toBeLessThan(5)
  expect(cpuMs() - startedAt).toBeLessThan(10_000)
})

/** A JAR whose directory has one file very often, and one whose inner JARs are all too large. */
const makeBombs = `
import io, sys, zipfile, struct
def often(name, packed, count, to):
    local = struct.pack("<IHHHHHIIIHH", 0x04034b50, 20, 0, 8, 0, 0, 0, len(packed), 0, len(name), 0) + name + packed
    one = struct.pack("<IHHHHHHIIIHHHHHII", 0x02014b50, 20, 20, 0, 8, 0, 0, 0, len(packed), 0, len(name), 0, 0, 0, 0, 0, 0) + name
    to.write(local + one * count + struct.pack("<IHHHHIIH", 0x06054b50, 0, 0, count & 65535, count & 65535, len(one) * count, len(local), 0))
import zlib
def deflated(size):
    c = zlib.compressobj(9, zlib.DEFLATED, -15)
    return c.compress(b"\\n" * size) + c.flush()
often(b"META-INF/maven/a/b/pom.properties", deflated(1024 * 1024), 20000, open(sys.argv[1], "wb"))
often(b"a.jar", deflated(80 * 1024 * 1024), 20000, open(sys.argv[2], "wb"))
`

test("a JAR costs no more than what may be unpacked of it, however often its directory names a file", () => {
  execFileSync("python3", ["-c", makeBombs, join(root, "often.jar"), join(root, "large.jar")])
  const started = cpuMs()
  expect(findPackages(root).leftOut).toEqual([
    "parts of /large.jar, which are too deep, too large or damaged",
    "parts of /often.jar, which are too deep, too large or damaged",
  ])
  expect(cpuMs() - started).toBeLessThan(20_000)
}, 60_000)

test("files that repeat what a parser looks for take no time", () => {
  write("a/packages.config", `${"<package ".repeat(3_000_000)}>`)
  for (const [at, part] of ["<!--", "<build>", "<dependency>", "<project "].entries())
    write(
      `p${at}/pom.xml`,
      `<project><dependencies>${part.repeat(2_000_000)}</dependency></dependencies></build></project>`,
    )
  for (let number = 0; number < 10; number++) write(`specifications/a${number}.gemspec`, "\n".repeat(64 * 1024))
  const started = cpuMs()
  expect(found()).toEqual([])
  expect(cpuMs() - started).toBeLessThan(5_000)
}, 60_000)

test("links to one large status file are not read for ever", () => {
  write("var/lib/dpkg/list", Array.from({ length: 20_000 }, (_, at) => `Package: p${at}\nVersion: 1\n`).join("\n"))
  mkdirSync(join(root, "var/lib/dpkg/status.d"))
  for (let number = 0; number < 1000; number++) symlinkSync("../list", join(root, `var/lib/dpkg/status.d/p${number}`))
  const { packages, leftOut } = findPackages(root)
  expect(packages.length).toBeLessThan(100_001)
  expect(leftOut).toEqual(["all but the first 100000 packages"])
}, 60_000)

function needsOf(parse: FileParser, text: string) {
  return Object.fromEntries(parse(Buffer.from(text), "/lock").map((each) => [each.name, each.dependsOn ?? []]))
}

test("pnpm's and NuGet's lock files tell which packages need which", () => {
  expect(
    needsOf(
      parsePnpmLock,
      "lockfileVersion: '6.0'\npackages:\n  /a@1.0.0:\n    dependencies:\n      '@s/b': 1.0.0\n      c: 2.0.0\n    dev: false\n  /@s/b@1.0.0:\n    peerDependencies:\n      c: '*'\n    dependencies: {c: 2.0.0}\n  /c@2.0.0:\n    dev: true\n",
    ),
  ).toEqual({ a: ["@s/b", "c"], "@s/b": ["c"], c: [] })
  expect(
    needsOf(
      parsePnpmLock,
      "lockfileVersion: '9.0'\npackages:\n  a@1.0.0:\n    engines: {node: '>=1'}\n  c@2.0.0:\n    engines: {node: '>=1'}\nsnapshots:\n  a@1.0.0(c@2.0.0):\n    dependencies:\n      c: 2.0.0\n  c@2.0.0: {}\n",
    ),
  ).toEqual({ a: ["c"], c: [] })
  expect(
    needsOf(
      parsePackagesLockJson,
      `{"version":1,"dependencies":{"net6.0":{"B":{"type":"Direct","resolved":"1.0.0"},"A":{"type":"Direct","resolved":"1.0.0","dependencies":{"B":"1.0.0"}}}}}`,
    ),
  ).toEqual({ A: ["B"], B: [] })
})

function indirect(parse: FileParser, text: string): string[] {
  return parse(Buffer.from(text), "/lock").flatMap(({ name, isIndirect }) => (isIndirect === true ? [name] : []))
}

test("go.mod and NuGet's lock file tell what nobody asked for but other packages", () => {
  const module = "module m\n\nrequire a.org/a v1.0.0\n\nrequire (\n\tb.org/b v1.0.0 // indirect\n\tc.org/c v1.0.0\n)\n"
  expect(indirect(parseGoMod, module)).toEqual(["b.org/b"])
  const lock = `{"dependencies":{"net6.0":{"A":{"type":"Direct","resolved":"1.0.0"},"B":{"type":"Transitive","resolved":"1.0.0"}}}}`
  expect(indirect(parsePackagesLockJson, lock)).toEqual(["B"])
})
