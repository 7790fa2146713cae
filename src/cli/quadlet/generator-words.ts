/** How systemd calls a generator: by its name, with words of one dash. */
const NAME = /(?:^|\/)[\w-]*-(system|user)-generator$/

/** The command line of `quadlet generate` that a call by the name of a generator means; undefined for any other name. */
export function generatorWords(calledBy: string, argv: readonly string[]): string[] | undefined {
  const [, manager] = NAME.exec(calledBy) ?? []
  if (manager === undefined) return undefined
  const words = argv.map((word) => (/^-[a-z]{2}/.test(word) ? `-${word}` : word))
  return ["quadlet", "generate", ...(manager === "user" && !words.includes("--user") ? ["--user"] : []), ...words]
}
