import { defineConfig } from 'vite'

/** Three files of known names: the server has a fixed list, and a report puts them into one. */
export default defineConfig({
  base: './',
  build: {
    outDir: '../../../dist/watch/page',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: false,
    cssCodeSplit: false,
    rollupOptions: { output: { entryFileNames: 'page.js', assetFileNames: 'page.[ext]' } },
  },
})
