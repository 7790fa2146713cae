/** A document as podman prints it where no format is asked for: YAML in blocks, keys in their order. Pure. */
export function toYaml(value: object, indent = ""): string {
  return Object.entries(value)
    .map(([key, one]) => entry(`${indent}${key}:`, one as unknown, indent))
    .join("")
}

function entry(head: string, value: unknown, indent: string): string {
  if (Array.isArray(value) && value.length > 0)
    return `${head}\n${value.map((one) => `${indent}- ${scalar(one)}\n`).join("")}`
  if (typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length > 0)
    return `${head}\n${toYaml(value, `${indent}  `)}`
  return `${head} ${scalar(value)}\n`
}

/** Plain where YAML reads the same text back, else quoted. */
function scalar(value: unknown): string {
  if (typeof value !== "string") return JSON.stringify(value)
  const isPlain = /^[A-Za-z/_][\w./ +-]*$/.test(value) && !/^(?:true|false|null|yes|no|on|off)$/i.test(value)
  return isPlain && value === value.trim() ? value : JSON.stringify(value)
}
