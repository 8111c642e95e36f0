// The cards under DigitUpload: one for each file. Joined after draw.js and result.js, as widget.js is.

/** One file's card: its name, a thumbnail, and the same display as beside the canvas. */
function mountCard(parent, { name, thumbnail, answer }) {
  const card = document.createElement('section')
  card.className = 'mc-card'
  card.innerHTML = '<h4></h4><div class="mc-file"></div>'
  card.querySelector('h4').textContent = card.querySelector('h4').title = name
  parent.append(card)
  const result = mountResult(card, { speaks: false })
  result.show(answer)
  const head = card.querySelector('.mc-head')
  if (answer.error) card.querySelectorAll('.mc-bars, .mc-seen').forEach(node => node.remove())
  if (thumbnail.byteLength) head.prepend(picture(thumbnail, name))
  return () => result.destroy()
}

function picture(bytes, name) {
  const image = new Image()
  image.src = URL.createObjectURL(new Blob([bytes], { type: 'image/png' }))
  image.alt = `The file ${name}`
  image.onload = () => URL.revokeObjectURL(image.src)
  return image
}

export default {
  render({ model, el }) {
    const root = document.createElement('div')
    root.className = 'mc mc-cards'
    const live = document.createElement('p')
    live.className = 'mc-live'
    live.ariaLive = 'polite'
    el.append(root, live)
    let ends = []
    const show = () => {
      ends.forEach(end => end())
      root.replaceChildren()
      ends = model.get('cards').map(card => mountCard(root, card))
      live.textContent = model.get('cards').map(({ name, answer }) => `${name}: ${spoken(answer)}`).join(' ')
    }
    model.on('change:cards', show)
    show()
    return () => { ends.forEach(end => end()); model.off('change:cards', show) }
  },
}
