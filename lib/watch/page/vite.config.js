import { readdirSync, readFileSync } from 'node:fs'
import { defineConfig } from 'vite'
import { toHtml } from './markdown.js'

const explanations = new URL('../../../docs/diagnosis/', import.meta.url)

/** What findings point to, as pages. */
const explain = {
  name: 'explain',
  generateBundle() {
    for (const name of readdirSync(explanations).filter((file) => file.endsWith('.md'))) {
      const text = readFileSync(new URL(name, explanations), 'utf8')
      const [, title = ''] = /^# (.*)$/m.exec(text) ?? []
      const source = page(title.replaceAll(/[`<>&]/g, ''), toHtml(text))
      this.emitFile({ type: 'asset', fileName: `diagnosis/${name.replace(/\.md$/, '.html')}`, source })
    }
  },
}

const page = (title, body) => `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>${title} · Gradus</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/page.css"></head>
<body><main class="explanation">
${body}
</main></body>
</html>
`

/** Files of known names: the server has a fixed list, and a report puts them into one. */
export default defineConfig({
  base: './',
  plugins: [explain],
  build: {
    outDir: '../../../dist/watch/page',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: false,
    cssCodeSplit: false,
    rollupOptions: { output: { entryFileNames: 'page.js', assetFileNames: 'page.[ext]' } },
  },
})
