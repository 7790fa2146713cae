/** Quadlet files become services, as podman-systemd.unit(5) has it; systemd itself says whether they are units. */
import { afterEach, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { dirname, join } from "node:path"
import { executable } from "../support/skiff.ts"
import { openStore } from "../support/store.ts"
import { user } from "../support/user.ts"

const skiff = openStore()

/** A directory of files, the only one that is looked at. */
function directoryOf(files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(skiff.home, "quadlet-"))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true })
    writeFileSync(join(directory, name), text)
  }
  spawnSync("chown", ["-R", `${user.uid}`, directory])
  return directory
}

const env = (directory: string) => ({ QUADLET_UNIT_DIRS: directory })
const generate = (directory: string, ...words: string[]) =>
  skiff.run(["quadlet", "generate", ...words], { env: env(directory) })

/** The services of files, by name. */
async function servicesOf(files: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  const { stdout, stderr, code } = await generate(directoryOf(files), "--dryrun")
  if (code !== 0) throw new Error(stderr)
  const parts = stdout.split(/^---(.*)---\n/m).slice(1)
  return Object.fromEntries(parts.flatMap((name, index) => (index % 2 === 0 ? [[name, parts[index + 1] ?? ""]] : [])))
}

const line = (text: string | undefined, key: string): string =>
  text
    ?.split("\n")
    .find((one) => one.startsWith(`${key}=`))
    ?.slice(key.length + 1) ?? ""

afterEach(async () => {
  const ids = (await skiff.ok("ps", "-aq")).split("\n").filter(Boolean)
  if (ids.length > 0) await skiff.ok("rm", "-f", ...ids)
})

test("a container: its keys are flags, and what is systemd's stays", async () => {
  const { "web.service": web } = await servicesOf({
    "web.container": `[Unit]
Description=A web server

# a comment
[Container]
Image=busybox
Exec=httpd -f -p 80
Environment=ONE=1 "TWO=2 words"
Environment=THREE=3
PublishPort=8080:80
Volume=./files:/www:ro
AddCapability=NET_ADMIN \\
  SYS_TIME
NoNewPrivileges=true
ReadOnly=true
User=1000
Group=2000
HealthCmd=wget -qO- localhost
HealthInterval=5s
PodmanArgs=--memory 64m

[Service]
Restart=always
TimeoutStartSec=900

[Install]
WantedBy=default.target
`,
  })
  expect(line(web, "ExecStart").split(" run ")[1]).toBe(
    "--name=systemd-web --replace --rm -d --sdnotify=conmon " +
      '"--health-cmd=wget -qO- localhost" --health-interval=5s --publish=8080:80 ' +
      '--cap-add=NET_ADMIN --cap-add=SYS_TIME --env=ONE=1 "--env=TWO=2 words" --env=THREE=3 --read-only=true ' +
      `--user=1000:2000 --security-opt=no-new-privileges --volume=${line(web, "SourcePath").replace("/web.container", "")}/files:/www:ro ` +
      "--memory 64m busybox httpd -f -p 80",
  )
  for (const one of [
    "Description=A web server",
    "Restart=always",
    "TimeoutStartSec=900",
    "Type=notify",
    "NotifyAccess=all",
    "KillMode=mixed",
    "[X-Container]",
    "WantedBy=default.target",
  ])
    expect(web).toContain(`${one}\n`)
  expect(line(web, "ExecStop")).toEndWith(" rm -v -f -i systemd-web")
  expect(line(web, "ExecStopPost")).toStartWith("-")
})

test("a key that would change nothing is refused, and those of retries and proxies are flags", async () => {
  const services = await servicesOf({
    "web.container": "[Container]\nImage=busybox\nRetry=2\nRetryDelay=1s\nHttpProxy=false\n",
    "b.build": "[Build]\nImageTag=b\nSetWorkingDirectory=unit\nIgnoreFile=./ignored\n",
  })
  const start = (name: string) => line(services[name], "ExecStart")
  for (const flag of ["--retry=2", "--retry-delay=1s", "--http-proxy=false"])
    expect(start("web.service")).toContain(` ${flag} `)
  expect(start("b-build.service")).toMatch(/ --ignorefile=\/\S+\/ignored /)
  const kube = directoryOf({ "k.kube": "[Kube]\nYaml=k.yaml\nExitCodePropagation=some\n" })
  const { code, stderr } = await generate(kube, "--dryrun")
  expect({ code, isNamed: stderr.includes("ExitCodePropagation") }).toEqual({ code: 1, isNamed: true })
})

test("a kube file: its keys are flags of kube play, and a process stays where the pods' exit codes count", async () => {
  const { "k.service": plain, "s.service": stays } = await servicesOf({
    "k.kube": "[Kube]\nYaml=k.yaml\nYaml=/more.yaml\nKubeDownForce=true\nSetWorkingDirectory=yaml\n",
    "s.kube":
      "[Kube]\nYaml=/s.yaml\nExitCodePropagation=any\nConfigMap=/m.yaml\nAutoUpdate=web/registry\nUserNS=keep-id\nPublishPort=80:80\nLogOpt=a=b\n",
  })
  expect(line(plain, "ExecStart")).toMatch(/ kube play --replace \/\S+\/k\.yaml \/more\.yaml$/)
  expect(line(plain, "ExecStopPost")).toMatch(/ kube down --force \/\S+\/k\.yaml \/more\.yaml$/)
  expect(line(plain, "Type")).toBe("oneshot")
  expect(line(plain, "WorkingDirectory")).toStartWith("/")
  expect(line(stays, "Type")).toBe("notify")
  const flags =
    "--service-container --service-exit-code-propagation=any --publish=80:80 --userns=keep-id --log-opt=a=b --annotation=io.containers.autoupdate/web=registry --configmap=/m.yaml /s.yaml"
  expect(line(stays, "ExecStart")).toEndWith(`kube play --replace ${flags}`)
})

test("files that name each other: the service of the one comes before that of the other", async () => {
  const services = await servicesOf({
    "app.container": "[Container]\nImage=app.build\nVolume=data.volume:/data\nNetwork=net.network\nPod=all.pod\n",
    "side.container":
      "[Container]\nImage=base.image\nNetwork=app.container\nMount=type=volume,source=data.volume,dst=/d\n",
    "data.volume": "[Volume]\nLabel=a=b\nUser=5\n",
    "net.network": "[Network]\nSubnet=10.9.0.0/24\nInternal=true\n",
    "all.pod": "[Pod]\nPublishPort=80:80\n",
    "app.build": "[Build]\nImageTag=localhost/app\nSetWorkingDirectory=unit\n",
    "base.image": "[Image]\nImage=busybox\nArch=amd64\n",
    "play.kube": "[Kube]\nYaml=pod.yaml\n",
  })
  const app = services["app.service"] ?? ""
  for (const name of ["app-build", "data-volume", "net-network", "all-pod"])
    expect(app).toContain(`Requires=${name}.service\nAfter=${name}.service\n`)
  expect(app).toContain("BindsTo=all-pod.service\n")
  expect(line(app, "ExecStart")).toEndWith(
    "--volume=systemd-data:/data --network=systemd-net --pod=systemd-all localhost/app",
  )
  expect(line(services["side.service"], "ExecStart")).toEndWith(
    "--mount=type=volume,source=systemd-data,dst=/d --network=container:systemd-app busybox",
  )
  expect(line(services["data-volume.service"], "ExecStart")).toEndWith(
    "volume create --ignore --label=a=b --opt=o=uid=5 systemd-data",
  )
  expect(line(services["net-network.service"], "ExecStart")).toEndWith(
    "network create --ignore --internal --subnet=10.9.0.0/24 systemd-net",
  )
  expect(line(services["all-pod.service"], "ExecStartPre")).toEndWith(
    "pod create --name=systemd-all --replace --publish=80:80",
  )
  expect(services["all-pod.service"]).toContain("Wants=app.service\nBefore=app.service\n")
  expect(line(services["app-build.service"], "ExecStart")).toContain(" build --tag=localhost/app /")
  expect(line(services["base-image.service"], "ExecStart")).toEndWith("pull --arch=amd64 busybox")
  expect(line(services["play.service"], "ExecStart")).toMatch(/ kube play --replace \/.*\/pod\.yaml$/)
})

test("systemd takes what a generator writes, with its links and drop-ins, called by name as systemd calls it", async () => {
  const directory = directoryOf({
    "web.container":
      "[Container]\nImage=busybox\nExec=sleep 1000\n[Install]\nWantedBy=multi-user.target\nAlias=www.service\n",
    "web.container.d/10-more.conf": "[Container]\nEnvironment=MORE=1\n",
    "job@.container": "[Container]\nImage=busybox\n[Install]\nDefaultInstance=one\nWantedBy=timers.target\n",
    "data.volume": "[Volume]\n",
  })
  const output = mkdtempSync(join(skiff.home, "units-"))
  chownSync(output, user.uid, user.gid)
  const name = join(output, "skiff-system-generator")
  symlinkSync(executable(), name)
  const [program = "", ...rest] = [...user.prefix, name, output, output, output]
  const { status, stderr } = spawnSync(program, rest, { env: { ...skiff.env, ...env(directory) }, encoding: "utf8" })
  expect([status, stderr]).toEqual([0, ""])
  expect(readlinkSync(join(output, "multi-user.target.wants/web.service"))).toBe("../web.service")
  expect(readlinkSync(join(output, "www.service"))).toBe("web.service")
  expect(readlinkSync(join(output, "timers.target.wants/job@one.service"))).toBe("../job@.service")
  expect(line(readFileSync(join(output, "web.service"), "utf8"), "ExecStart")).toContain("--env=MORE=1")
  expect(line(readFileSync(join(output, "job@.service"), "utf8"), "ExecStart")).toContain("--name=systemd-job_%i ")
  const verify = spawnSync(
    "systemd-analyze",
    ["verify", "--man=no", join(output, "web.service"), join(output, "data-volume.service")],
    { encoding: "utf8" },
  )
  if (verify.error === undefined)
    expect(verify.stderr.split("\n").filter((one) => one.includes("web.service"))).toEqual([])
})

test("the command line of a service runs", async () => {
  const { "web.service": web } = await servicesOf({
    "web.container": '[Container]\nImage=busybox\nExec=sh -c "echo $WORD; sleep 1000"\nEnvironment=WORD=said\n',
  })
  for (const key of ["ExecStart", "ExecStop"]) {
    const script = line(web, key).replace(executable(), "").trim()
    const words = spawnSync("sh", ["-c", `printf '%s\\0' ${script.replaceAll("$", "\\$")}`], {
      encoding: "utf8",
    }).stdout
    await skiff.ok(...words.split("\0").filter((word) => word !== ""))
    if (key === "ExecStart") expect(await skiff.ok("logs", "systemd-web")).toBe("said")
  }
  expect(await skiff.ok("ps", "-aq")).toBe("")
})

test("a volume of an image is one of the image driver", async () => {
  const directory = directoryOf({
    "tools.volume": "[Volume]\nDriver=image\nImage=base.image\n",
    "base.image": "[Image]\nImage=busybox\n",
    "none.volume": "[Volume]\nDriver=image\n",
  })
  const { stdout, stderr } = await generate(directory, "--dryrun")
  expect(stdout).toContain("volume create --ignore --driver=image --opt=image=busybox systemd-tools")
  expect(stderr).toContain("the key Image is mandatory when using the image driver")
})

test("what is wrong is said with the file's name, and keeps no other file from its service", async () => {
  const bad: Record<string, string> = {
    "unsupported key 'Foo' in group 'Container'": "[Container]\nImage=a\nFoo=1\n",
    "no Image or Rootfs key specified": "[Container]\nExec=a\n",
    'requested Quadlet unit "x.volume" was not found': "[Container]\nImage=a\nVolume=x.volume:/x\n",
    "invalid Group set without User": "[Container]\nImage=a\nGroup=1\n",
    ":2: expected [SECTION] or KEY=VALUE": "[Container]\nImage\n",
    "pod p is not Quadlet based": "[Container]\nImage=a\nPod=p\n",
  }
  for (const [message, text] of Object.entries(bad)) {
    const directory = directoryOf({ "bad.container": text, "good.container": "[Container]\nImage=a\n" })
    const { code, stdout, stderr } = await generate(directory, "--dryrun")
    expect(code).toBe(1)
    expect(stderr).toContain("bad.container")
    expect(stderr).toContain(message)
    expect(stdout).toContain("---good.service---")
    expect(stdout).not.toContain("---bad.service---")
  }
})

test("an Install that leads out of the directory makes no link", async () => {
  const directory = directoryOf({
    "evil.container": "[Container]\nImage=a\n[Install]\nAlias=../../evil.service /etc/evil.service\nWantedBy=../../x\n",
  })
  const output = join(mkdtempSync(join(skiff.home, "out-")), "a", "b")
  mkdirSync(output, { recursive: true })
  spawnSync("chown", ["-R", `${user.uid}`, dirname(dirname(output))])
  expect((await generate(directory, output)).code).toBe(0)
  expect(existsSync(join(output, "evil.service"))).toBe(true)
  expect(existsSync(join(dirname(dirname(output)), "evil.service"))).toBe(false)
  expect(existsSync(join(output, "../../x.wants"))).toBe(false)
})

test("install, list, print, rm", async () => {
  const source = directoryOf({ "web.container": "[Container]\nImage=busybox\n", "bad.container": "nonsense\n" })
  const directory = directoryOf({})
  const quadlet = (...words: string[]) => skiff.run(["quadlet", ...words], { env: env(directory) })
  expect(await quadlet("install", join(source, "web.container"))).toMatchObject({
    code: 0,
    stdout: `${join(directory, "web.container")}\n`,
  })
  expect((await quadlet("install", join(source, "web.container"))).stderr).toContain("is there already")
  expect((await quadlet("install", "--replace", join(source, "web.container"))).code).toBe(0)
  expect((await quadlet("install", join(source, "bad.container"))).stderr).toContain("bad.container:1")
  expect((await quadlet("list", "--format", "{{.Name}} {{.UnitName}}")).stdout).toBe("web.container web.service\n")
  expect((await quadlet("print", "web.container")).stdout).toBe("[Container]\nImage=busybox\n")
  expect((await quadlet("rm", "web.container")).code).toBe(0)
  expect((await quadlet("rm", "web.container")).code).toBe(1)
  expect((await quadlet("rm", "--ignore", "web.container")).code).toBe(0)
  expect((await quadlet("list", "-q")).stdout).toBe("")
  rmSync(source, { recursive: true })
})
