/** The little of Markdown that docs/diagnosis is written in, as HTML: headings, paragraphs, lists, code, emphasis, links. */

const escapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escapeHtml = (text) => text.replaceAll(/[&<>"]/g, (character) => escapes[character])

/** Code first: what stands in it is not looked at again. */
function inline(text) {
  return text
    .split(/(`[^`]+`)/)
    .map((part) => {
      if (/^`[^`]+`$/.test(part)) return `<code>${escapeHtml(part.slice(1, -1))}</code>`
      return (
        escapeHtml(part)
          .replaceAll(/\*\*([^*]+)\*\*/g, '<strong>$1</strong>')
          .replaceAll(/(?<![\w*])[*_]([^*_\s][^*_]*)[*_](?!\w)/g, '<em>$1</em>')
          .replaceAll(/\[([^\]]+)\]\((https:[^)\s]+)\)/g, '<a href="$2" rel="noreferrer" target="_blank">$1</a>')
          // Other pages are files of the package, which a browser does not have.
          .replaceAll(/\[([^\]]+)\]\([^)]+\)/g, '$1')
      )
    })
    .join('')
}

const item = /^(?:[-*]|\d+\.) +/

/** Items go over lines that are indented. */
function list(block) {
  const items = block.split(/\n(?=(?:[-*]|\d+\.) )/).map((text) => `<li>${inline(joined(text.replace(item, '')))}</li>`)
  const kind = /^\d/.test(block) ? 'ol' : 'ul'
  return `<${kind}>${items.join('')}</${kind}>`
}

const joined = (text) => text.split(/\n\s*/).join(' ')

function blockToHtml(block) {
  const heading = /^(#{1,4}) +(.*)$/.exec(block)
  if (heading) return `<h${heading[1].length}>${inline(heading[2])}</h${heading[1].length}>`
  if (item.test(block)) return list(block)
  return `<p>${inline(joined(block))}</p>`
}

/** Code blocks are taken out before blank lines tell blocks apart. */
export function toHtml(markdown) {
  return markdown
    .replaceAll('\r\n', '\n')
    .split(/(^```\w*\n[\s\S]*?^```$)/m)
    .flatMap((part) => {
      const code = /^```\w*\n([\s\S]*?)```$/.exec(part)
      if (code) return [`<pre><code>${escapeHtml(code[1])}</code></pre>`]
      return part
        .split(/\n{2,}/)
        .map((block) => block.trim())
        .filter((block) => block !== '')
        .map(blockToHtml)
    })
    .join('\n')
}
