/** Values of a YAML document; JSON is YAML. Throws SyntaxError. */
export function parseYaml(text: string): unknown {
  return Bun.YAML.parse(text)
}
