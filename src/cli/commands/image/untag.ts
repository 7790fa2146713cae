import { arg } from "../../args.ts"
import { command } from "../../command.ts"

export default command({
  summary: "Take names away from an image, and leave the image",
  args: [arg.one("IMAGE", "images"), arg.rest("[NAME...]", "images")],
  flags: {},
  examples: ["skiff untag web:1", "skiff untag web:1 registry.example.com/web:1"],
  async run({ args: [image, names], engine }) {
    ;(await engine.images()).untag(image, names)
  },
})
