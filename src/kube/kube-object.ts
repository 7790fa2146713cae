/** One object of the Kubernetes API, as its YAML says it. */
export interface KubeObject {
  apiVersion: string
  kind: string
  metadata: { name: string; labels?: Readonly<Record<string, string>>; [key: string]: unknown }
  [key: string]: unknown
}
