/** Reads argv, loads one command, turns an error into an exit code. Imports nothing that a command may not need. */
async function main(): Promise<void> {
  // what goes on longer than a start has loops that are worth compiling
  setTimeout(
    () => void import("./sys/process/jit-policy.ts").then(({ compileAsUsual }) => compileAsUsual()),
    START_MS,
  ).unref()
  const argv = await ownWords(process.argv.slice(2))
  if (argv[0] === "_step") {
    const { stepCommand } = await import("./runtime/rootless/command.ts")
    process.exit(await stepCommand(argv.slice(1)))
  }
  if (process.getuid?.() !== 0) {
    // an ordinary user: from here on root inside the namespaces of the user's pause process (docs/design/002-one-code-path-for-root-and-user.md)
    const { enterRootless } = await import("./sys/rootless/enter.ts")
    try {
      await enterRootless(argv)
    } catch (error) {
      const { refuseCommandLine } = await import("./cli/run.ts")
      process.exit(await refuseCommandLine(argv, error))
    }
  } else {
    const { ourPrivilege } = await import("./sys/rootless/privilege.ts")
    if (ourPrivilege() === "unprivileged") await (await import("./sys/rootless/enter.ts")).enterContained(argv)
  }
  const { runCommandLine } = await import("./cli/run.ts")
  await exit(await runCommandLine(argv))
}

/** What was typed; called as another tool, or told to be one, in our words. */
async function ownWords(argv: readonly string[]): Promise<readonly string[]> {
  if (process.argv0.endsWith("-generator"))
    return (await import("./cli/quadlet/generator-words.ts")).generatorWords(process.argv0, argv) ?? argv
  // a process that replaced us has our words already: kubectl has no verb of that name
  if (/(?:^|\/)kubectl$/.test(process.argv0))
    return argv[0] === "kube" || argv[0] === "_step" ? argv : ["kube", ...argv]
  const isOther = /(?:^|\/)(?:(?:docker|podman)(?:-compose)?|buildah)$/.test(process.argv0) || process.env.SKIFF_COMPAT
  if (!isOther) return argv
  try {
    return await (await import("./cli/compat/adopt.ts")).adoptCommandLine(argv, process.argv0)
  } catch (error) {
    const { refuseCommandLine } = await import("./cli/run.ts")
    process.exit(await refuseCommandLine(argv, error))
  }
}

/** Not `exitCode`: a read of the terminal that still waits would keep the process. Nor `exit`: Bun would close the database. */
async function exit(code: number): Promise<never> {
  process.emit("exit", code)
  const { exitNow } = await import("./sys/libc.ts")
  return exitNow(code)
}

/** A `run`, `exec` or `ps` has ended by then. */
const START_MS = 250

void main()
