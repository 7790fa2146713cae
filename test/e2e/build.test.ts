/** `skiff build`: what RUN, COPY and ADD make. */
import { describe, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { chownSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { build, built, makeContext, runBuilt } from "../support/build.ts"
import { serve } from "../support/http.ts"
import { openStore } from "../support/store.ts"
import { tar } from "../support/tar.ts"
import { user } from "../support/user.ts"

const skiff = openStore()
const run = (dockerfile: string, script: string, files = {}) => runBuilt(skiff, dockerfile, script, files)

describe("RUN", () => {
  test("by the shell, by exec form, by here-document, by another interpreter", async () => {
    const dockerfile = `FROM busybox
RUN echo shell $((1+1)) > /out
RUN ["sh", "-c", "echo exec >> /out"]
RUN <<EOF
echo here >> /out
echo document >> /out
EOF
RUN <<EOF
#!/bin/awk -f
BEGIN { print "awk" >> "/out" }
EOF
`
    expect(await run(dockerfile, "cat /out")).toBe("shell 2\nexec\nhere\ndocument\nawk")
  })

  test("a here-document as a program's input", async () => {
    const dockerfile = `FROM busybox
RUN cat <<EOF > /out
one $HOME
EOF
RUN cat <<'EOF' >> /out
two $HOME
EOF
`
    expect(await run(dockerfile, "cat /out")).toBe("one /root\ntwo $HOME")
  })

  test("SHELL, ENV, ARG, WORKDIR and USER are in force", async () => {
    const dockerfile = `FROM busybox
ARG WHO=nobody
ENV GREETING="hello there"
WORKDIR /work/sub
USER user
SHELL ["/bin/sh", "-e", "-c"]
RUN echo "$GREETING $WHO $(pwd) $(id -u)" > /tmp/out
`
    expect(await run(dockerfile, "cat /tmp/out")).toBe("hello there nobody /work/sub 1000")
  })

  test("a bind of the context is read-only; what is written into an rw one is thrown away", async () => {
    const dockerfile = `FROM busybox
RUN --mount=type=bind,target=/src cat /src/data > /out && ! touch /src/x 2>/dev/null
RUN --mount=type=bind,target=/src,rw echo " changed" > /src/data && cat /src/data >> /out
RUN --mount=type=bind,target=/src cat /src/data >> /out
`
    expect(await run(dockerfile, "cat /out; ls /src 2>/dev/null | wc -l", { data: "data" })).toBe("data changed\ndata0")
  })

  test("a bind from another stage", async () => {
    const dockerfile = `FROM busybox AS a
RUN echo from-a > /file
FROM busybox
RUN --mount=from=a,source=/file,target=/f cp /f /out
`
    expect(await run(dockerfile, "cat /out")).toBe("from-a")
  })

  test("a cache is kept between builds, and is no part of the image", async () => {
    const count = "RUN --mount=type=cache,target=/cache,id=e2e echo x >> /cache/count && wc -l < /cache/count > /out"
    expect(await run(`FROM busybox\n${count}\n`, "cat /out; ls /cache | wc -l")).toBe("1\n0")
    expect(await run(`FROM busybox\nENV AGAIN=1\n${count}\n`, "cat /out")).toBe("2")
  })

  test("a tmpfs is empty again for the next step", async () => {
    const dockerfile = `FROM busybox
RUN --mount=type=tmpfs,target=/t echo x > /t/f && mount | grep -c ' /t ' > /out
`
    expect(await run(dockerfile, "cat /out; ls /t | wc -l")).toBe("1\n0")
  })

  test("a secret is a file or a variable for the step alone", async () => {
    const file = join(skiff.home, "secret")
    writeFileSync(file, "s3cret-bytes")
    chownSync(file, user.uid, user.gid)
    const dockerfile = `FROM busybox
RUN --mount=type=secret,id=one wc -c < /run/secrets/one > /out && stat -c %a /run/secrets/one >> /out
RUN --mount=type=secret,id=one,env=TOKEN echo "\${#TOKEN}" >> /out
RUN --mount=type=secret,id=absent ls /run/secrets/absent 2>/dev/null || echo none >> /out
`
    const id = await built(skiff, { Dockerfile: dockerfile }, "--secret", `id=one,src=${file}`)
    const left = await skiff.ok("run", "--rm", id, "sh", "-c", "cat /out; ls -d /run/secrets 2>/dev/null | wc -l")
    expect(left).toBe("12\n400\n12\nnone\n0")
    const needed = "FROM busybox\nRUN --mount=type=secret,id=absent,required=true true\n"
    const { code, stderr } = await build(skiff, { Dockerfile: needed })
    expect(code).toBe(1)
    expect(stderr).toContain("absent")
  })

  test("--network=none has no network", async () => {
    const dockerfile = "FROM busybox\nRUN --network=none ls /sys/class/net > /out; wc -l < /proc/net/route >> /out\n"
    expect(await run(dockerfile, "cat /out")).toBe("lo\n1")
  })

  test("what the step needed is gone from the image", async () => {
    const dockerfile = `FROM busybox
RUN test -s /etc/resolv.conf && grep -q db /etc/hosts
RUN touch /x
`
    const id = await built(skiff, { Dockerfile: dockerfile }, "--add-host", "db:10.0.0.9")
    const archive = join(skiff.directory, "gone.tar")
    await skiff.ok("build", "-o", `type=tar,dest=${archive}`, makeContext(skiff, { Dockerfile: `FROM ${id}\n` }))
    const names = spawnSync("tar", ["-tf", archive]).stdout.toString().split("\n")
    expect(names).toContain("x")
    expect(names.filter((name) => /resolv|etc\/host|containerenv|dockerenv/.test(name))).toEqual([])
  })

  test("limits hold for the program", async () => {
    const dockerfile =
      "FROM busybox\nRUN ulimit -n > /out; df -k /dev/shm | tail -n 1 | tr -s ' ' | cut -d ' ' -f 2 >> /out\n"
    const id = await built(skiff, { Dockerfile: dockerfile }, "--ulimit", "nofile=77:88", "--shm-size", "8m")
    expect(await skiff.ok("run", "--rm", id, "cat", "/out")).toBe("77\n8192")
  })
})

describe("COPY and ADD", () => {
  const files = {
    "a.txt": "a",
    "b.txt": "b",
    "run.sh": { mode: 0o755, content: "#!/bin/sh\n" },
    "dir/one": "1",
    "dir/sub/two": "2",
    link: { link: "a.txt" },
    "dir/inner": { link: "one" },
  }
  const copied = (lines: string, script: string) => run(`FROM busybox\n${lines}\n`, script, files)

  test("files, directories and patterns land where docker puts them", async () => {
    const lines = [
      "COPY a.txt /x",
      "COPY *.txt /y/",
      "COPY dir /z",
      "COPY dir /w/",
      "WORKDIR /v",
      "COPY a.txt b.txt ./",
    ]
    expect(await copied(lines.join("\n"), "cat /x; echo; find /y /z /w /v | sort | tr '\n' ' '")).toBe(
      "a\n/v /v/a.txt /v/b.txt /w /w/inner /w/one /w/sub /w/sub/two /y /y/a.txt /y/b.txt /z /z/inner /z/one /z/sub /z/sub/two",
    )
  })

  test("modes are kept, owners become root, links stay links", async () => {
    const script = "stat -c '%a %u:%g' /run.sh /a.txt; readlink /dir/inner"
    expect(await copied("COPY run.sh a.txt /\nCOPY dir /dir", script)).toBe("755 0:0\n644 0:0\none")
  })

  test("--chown and --chmod", async () => {
    const lines = [
      "COPY --chown=user:extra --chmod=0640 a.txt /",
      "COPY --chown=77 dir /dir",
      "COPY --chmod=u=rwx,go= b.txt /",
    ]
    const script = "stat -c '%a %u:%g' /a.txt /dir/one /b.txt"
    expect(await copied(lines.join("\n"), script)).toBe("640 1000:2000\n644 77:77\n700 0:0")
  })

  test("--from takes a stage, its number, an image", async () => {
    const dockerfile = `FROM busybox AS one
RUN echo 1 > /f && chown 5:6 /f
FROM busybox
RUN echo 2 > /g
FROM busybox
COPY --from=one /f /
COPY --from=1 /g /
COPY --from=busybox /etc/passwd /p
`
    expect(await run(dockerfile, "cat /f /g; stat -c '%u:%g' /f; head -n 1 /p")).toBe(
      "1\n2\n5:6\nroot:x:0:0:root:/root:/bin/sh",
    )
  })

  test("--link, --parents, --exclude", async () => {
    const lines = ["COPY --link a.txt /l/", "COPY --parents dir/./sub/two /p/", "COPY --exclude=one dir /e"]
    expect(await copied(lines.join("\n"), "cat /l/a.txt; echo; find /p /e | sort | tr '\n' ' '")).toBe(
      "a\n/e /e/inner /e/sub /e/sub/two /p /p/sub /p/sub/two",
    )
  })

  test("here-documents", async () => {
    const lines = `ARG who=me
COPY <<EOF <<'raw' /h/
hi $who
EOF
$who
raw
COPY --chmod=700 <<one /s.sh
#!/bin/sh
one`
    expect(await copied(lines, "cat /h/EOF /h/raw; stat -c %a /s.sh")).toBe("hi me\n$who\n700")
  })

  test("ADD unpacks an archive, COPY does not", async () => {
    const archive = spawnSync("gzip", ["-c"], { input: tar([{ name: "in/side", content: "x" }]) }).stdout
    const dockerfile = "FROM busybox\nADD a.tar.gz /added/\nCOPY a.tar.gz /copied/\n"
    const id = await built(skiff, { Dockerfile: dockerfile, "a.tar.gz": archive })
    expect(await skiff.ok("run", "--rm", id, "sh", "-c", "cat /added/in/side; ls /copied")).toBe("xa.tar.gz")
  })

  test("ADD of a URL, checked by its digest", async () => {
    await using server = await serve((_, response) => response.end("fetched"))
    const url = `http://127.0.0.1:${server.port}/some/file.txt`
    const script = "cat /d/file.txt; stat -c %a /d/file.txt"
    expect(await run(`FROM busybox\nADD ${url} /d/\n`, script)).toBe("fetched600")
    const checked = `FROM busybox\nADD --checksum=sha256:${"0".repeat(64)} ${url} /d/\n`
    const { code, stderr } = await build(skiff, { Dockerfile: checked })
    expect(code).toBe(1)
    expect(stderr).toMatch(/digest|checksum/)
  })

  test("what is not there is named, with the line", async () => {
    const { code, stderr } = await build(skiff, { Dockerfile: "FROM busybox\nCOPY absent.txt /\n" })
    expect(code).toBe(1)
    expect(stderr).toContain("absent.txt")
    expect(stderr).toContain(">>> COPY absent.txt /")
  })

  test("the ignore file leaves out, and takes in again", async () => {
    const context = { ...files, ".dockerignore": "*\n!dir\ndir/sub\n" }
    expect(await run("FROM busybox\nCOPY . /all\n", "find /all | sort", context)).toBe(
      "/all\n/all/dir\n/all/dir/inner\n/all/dir/one",
    )
  })

  test("a Dockerfile's own ignore file comes before the directory's", async () => {
    const directory = makeContext(skiff, {
      ...files,
      ".dockerignore": "*",
      "My.Dockerfile": "FROM busybox\nCOPY . /all\n",
      "My.Dockerfile.dockerignore": "**/*o*\n!run.sh\n",
    })
    const id = await skiff.ok("build", "-q", "-f", join(directory, "My.Dockerfile"), directory)
    expect(await skiff.ok("run", "--rm", id, "sh", "-c", "cd /all; find . | sort | tr '\n' ' '")).toBe(
      ". ./a.txt ./b.txt ./dir ./dir/inner ./dir/sub ./link ./run.sh",
    )
  })
})
