// Thumbnails over a map of points. `name` is the id of the block around the picture; `map` has `points` (0..1 from the left
// and the top), `words` for each, and how many thumbnails stand in a row of the sheet.
((name, map) => {
  const block = document.getElementById(name)
  if (!block) return
  const [picture, card] = block.children, [thumbnail, words] = card.children
  const size = 56   // pixels on the page of a thumbnail
  picture.addEventListener('pointermove', event => {
    const box = picture.getBoundingClientRect()
    const x = event.clientX - box.left, y = event.clientY - box.top
    let best = -1, nearest = 14 ** 2   // pixels: farther from every point, nothing is shown
    map.points.forEach(([px, py], i) => {
      const distance = (px * box.width - x) ** 2 + (py * box.height - y) ** 2
      if (distance < nearest) [best, nearest] = [i, distance]
    })
    card.hidden = best < 0
    if (best < 0) return
    const column = best % map.columns, row = Math.floor(best / map.columns)
    thumbnail.style.backgroundPosition = `${-column * size}px ${-row * size}px`
    words.textContent = map.words[best]
    card.style.left = x > box.width / 2 ? '' : `${x + 14}px`
    card.style.right = x > box.width / 2 ? `${box.width - x + 14}px` : ''
    card.style.top = `${Math.min(y, box.height - 90)}px`
  })
  picture.addEventListener('pointerleave', () => { card.hidden = true })
})
