// The report page: fills in what data holds, and runs the viewer and the plots. Foreign text (names,
// tags) only ever becomes textContent.
'use strict';
(() => {
const data = JSON.parse(document.getElementById('data').textContent);
const $ = id => document.getElementById(id);

function element(tag, props, ...children) {
  const e = Object.assign(document.createElement(tag), props || {});
  e.append(...children.filter(c => c !== null && c !== undefined));
  return e;
}

function svg(tag, attributes, ...children) {
  const e = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes || {})) e.setAttribute(name, value);
  e.append(...children);
  return e;
}

// --- Numbers as people write them ---

const digits = (v, n) => v.toFixed(n);

function clock(seconds) {
  const s = Math.max(0, seconds), m = Math.floor(s / 60) % 60, h = Math.floor(s / 3600);
  const rest = (s % 60).toFixed(s < 60 ? 2 : 0).padStart(s < 60 ? 0 : 2, '0');
  return h ? `${h}:${String(m).padStart(2, '0')}:${rest}` : m ? `${m}:${rest}` : `${rest} s`;
}

function bytes(n) {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let i = 0;
  while (n >= 1024 && i < units.length - 1) { n /= 1024; i++; }
  return `${i ? n.toFixed(1) : n} ${units[i]}`;
}

function rate(kbit) {
  return kbit >= 1000 ? `${(kbit / 1000).toFixed(1)} Mbit/s` : `${Math.round(kbit)} kbit/s`;
}

// --- Light and dark ---

function setUpTheme() {
  const system = matchMedia('(prefers-color-scheme: dark)');
  const kinds = ['auto', 'light', 'dark'];
  let kind = 'auto';
  try { kind = localStorage.getItem('kizunasr-theme') || 'auto'; } catch (e) { /* not for files */ }
  const apply = () => {
    const dark = kind === 'dark' || (kind === 'auto' && system.matches);
    document.documentElement.classList.toggle('dark', dark);
    $('theme').textContent = { auto: 'Auto', light: 'Light', dark: 'Dark' }[kind] || 'Auto';
  };
  $('theme').addEventListener('click', () => {
    kind = kinds[(kinds.indexOf(kind) + 1) % kinds.length];
    try { localStorage.setItem('kizunasr-theme', kind); } catch (e) { /* not for files */ }
    apply();
  });
  system.addEventListener('change', apply);
  apply();
}

// --- Head ---

function fillHead() {
  const failed = data.checks.filter(c => !c.passed);
  document.title = `${data.output.name} – KizunaSR report`;
  $('title').textContent = data.output.name;
  $('subtitle').textContent = `made from ${data.input.name}`;
  const verdict = $('verdict');
  verdict.className = `verdict ${failed.length ? 'bad' : 'good'}`;
  verdict.append(element('strong', { textContent: failed.length
    ? `${failed.length} of ${data.checks.length} checks failed`
    : `All ${data.checks.length} checks passed` }));
  if (failed.length)
    verdict.append(element('ul', {}, ...failed.map(c => element('li', { textContent: c.detail }))));
  else
    verdict.append('Frames, timestamps, streams and image quality of the output are as expected.');
  for (const [value, name] of tiles())
    $('tiles').append(element('li', {}, element('b', { textContent: value }), element('span', { textContent: name })));
  $('footer').textContent = `Written by kizunasr ${data.version}. This page is self-contained and loads nothing.`;
}

function tiles() {
  const p = data.picture, list = [];
  list.push([`${data.input.width}×${data.input.height} → ${data.output.width}×${data.output.height}`, 'size in pixels']);
  list.push([`${data.output.frames}`, `frames, ${clock(data.output.duration)}`]);
  if (p) {
    list.push([`${digits(p.psnr.median, 2)} dB`, `PSNR, median; worst ${digits(p.psnr.worst, 2)} dB`]);
    list.push([digits(p.ssim.median, 4), `SSIM, median; worst ${digits(p.ssim.worst, 4)}`]);
  }
  list.push([bytes(data.output.size), `output; the input has ${bytes(data.input.size)}`]);
  if (data.estimate) {
    list.push([clock(data.estimate.seconds), 'estimated time for the whole video']);
    list.push([bytes(data.estimate.bytes), 'estimated size of the whole video']);
  }
  return list;
}

// --- The viewer ---

const viewer = { shot: 0, mode: 'slider', zoom: 0, split: 0.5, x: 0.5, y: 0.5, gain: 8, images: null, diff: null, left: 'before' };
const MODES = [['slider', 'Slider'], ['before', 'Before'], ['after', 'After'], ['difference', 'Difference']];
const LEFTS = [['before', 'With the source'], ['without', 'With the same unrestored']];
const ZOOMS = [[0, 'Fit'], [1, '1:1'], [2, '2×'], [4, '4×'], [8, '8×']];

function radios(box, list, current, choose) {
  for (const [value, name] of list) {
    const b = element('button', { type: 'button', textContent: name });
    b.setAttribute('role', 'radio');
    b.dataset.value = value;
    b.addEventListener('click', () => choose(value));
    box.append(b);
  }
  mark(box, current);
}

function mark(box, current) {
  for (const b of box.children) {
    const on = b.dataset.value === String(current);
    b.setAttribute('aria-checked', on);
    b.tabIndex = on ? 0 : -1;
  }
}

// Arrow keys walk through a group of radio buttons or tabs.
function walkable(box) {
  box.addEventListener('keydown', event => {
    const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (!step) return;
    const list = [...box.children], at = list.indexOf(document.activeElement);
    const next = list[(at + step + list.length) % list.length];
    next.focus();
    next.click();
    event.preventDefault();
    event.stopPropagation();
  });
}

function load(source) {
  return new Promise((done, fail) => {
    const image = new Image();
    image.onload = () => done(image);
    image.onerror = fail;
    image.src = source;
  });
}

async function show(n) {
  const shot = data.shots[n];
  if (!shot) return;
  viewer.shot = n;
  [...$('shots').children].forEach((b, i) => {
    b.setAttribute('aria-selected', i === n);
    b.tabIndex = i === n ? 0 : -1;
  });
  $('shots').children[n].scrollIntoView({ block: 'nearest', inline: 'nearest' });
  const left = shot[viewer.left] ? viewer.left : 'before';
  const images = await Promise.all([load(shot[left]), load(shot.after)]);
  if (viewer.shot !== n || left !== (shot[viewer.left] ? viewer.left : 'before')) return;
  viewer.images = images;
  viewer.diff = null;
  const measured = shot.psnr === null ? '' : `; PSNR ${digits(shot.psnr, 2)} dB, SSIM ${digits(shot.ssim, 4)}`;
  $('shot-note').textContent = `Frame ${shot.frame} at ${clock(shot.time)}, ${shot.why.join(', ')}${measured}. ` +
    (left === 'before' ? `Before is ${images[0].width}×${images[0].height}, scaled up by the browser; after is ` : 'Both are ') +
    `${images[1].width}×${images[1].height}.`;
  $('tag-left').textContent = left === 'before' ? 'Before' : 'Without restoration';
  $('view').setAttribute('aria-label', `Frame ${shot.frame}, ${shot.why.join(', ')}`);
  draw();
}

// |after - before| of every channel, before scaled up smoothly.
function difference() {
  const [before, after] = viewer.images;
  if (viewer.diff && viewer.diff.gain === viewer.gain) return viewer.diff.canvas;
  const read = image => {
    const c = element('canvas', { width: after.width, height: after.height });
    const g = c.getContext('2d', { willReadFrequently: true });
    g.imageSmoothingQuality = 'high';
    g.drawImage(image, 0, 0, c.width, c.height);
    return [c, g, g.getImageData(0, 0, c.width, c.height)];
  };
  const [canvas, context, a] = read(after), b = read(before)[2];
  for (let i = 0; i < a.data.length; i++)
    a.data[i] = (i & 3) === 3 ? 255 : Math.min(255, Math.abs(a.data[i] - b.data[i]) * viewer.gain);
  context.putImageData(a, 0, 0);
  viewer.diff = { canvas, gain: viewer.gain };
  return canvas;
}

// Where the picture lies on the canvas, in device pixels.
function placement(canvas) {
  const after = viewer.images[1], shown = data.aspect;
  const width = after.width, height = after.width / shown;
  const fit = canvas.width / width;
  const scale = viewer.zoom ? viewer.zoom : fit;
  const w = width * scale, h = height * scale;
  const clamp = (centre, size, room) => size <= room ? (room - size) / 2 : Math.min(0, Math.max(room - size, room / 2 - centre * size));
  return { x: clamp(viewer.x, w, canvas.width), y: clamp(viewer.y, h, canvas.height), w, h, scale };
}

function draw() {
  const canvas = $('view');
  if (!viewer.images) return;
  const ratio = Math.min(devicePixelRatio || 1, 3), width = canvas.clientWidth;
  canvas.width = Math.max(1, Math.round(width * ratio));
  canvas.height = Math.max(1, Math.round(canvas.width / Math.max(data.aspect, 0.75)));
  const g = canvas.getContext('2d'), p = placement(canvas), [before, after] = viewer.images;
  g.imageSmoothingEnabled = p.scale < 2;
  g.imageSmoothingQuality = 'high';
  g.fillRect(0, 0, canvas.width, canvas.height);
  const put = (image, from, to) => {
    g.save();
    g.beginPath();
    g.rect(from, 0, to - from, canvas.height);
    g.clip();
    g.drawImage(image, p.x, p.y, p.w, p.h);
    g.restore();
  };
  const border = Math.round(viewer.split * canvas.width);
  if (viewer.mode === 'difference') put(difference(), 0, canvas.width);
  else if (viewer.mode === 'before') put(before, 0, canvas.width);
  else if (viewer.mode === 'after') put(after, 0, canvas.width);
  else {
    put(before, 0, border);
    put(after, border, canvas.width);
    handle(g, border, canvas.height, ratio);
  }
  canvas.classList.toggle('zoomed', viewer.zoom > 0);
  $('tag-left').hidden = viewer.mode === 'after' || viewer.mode === 'difference';
  $('tag-right').hidden = viewer.mode === 'before';
  $('tag-right').textContent = viewer.mode === 'difference' ? `Difference ×${viewer.gain}` : 'After';
  $('split').hidden = viewer.mode !== 'slider';
  $('gain-box').hidden = viewer.mode !== 'difference';
}

function handle(g, x, height, ratio) {
  g.fillStyle = 'rgba(255,255,255,.95)';
  g.shadowColor = 'rgba(0,0,0,.6)';
  g.shadowBlur = 4 * ratio;
  g.fillRect(x - ratio, 0, 2 * ratio, height);
  g.beginPath();
  g.arc(x, height / 2, 16 * ratio, 0, 7);
  g.fill();
  g.shadowBlur = 0;
  g.fillStyle = '#1b1f27';
  for (const side of [-1, 1]) {
    g.beginPath();
    g.moveTo(x + side * 11 * ratio, height / 2);
    g.lineTo(x + side * 4 * ratio, height / 2 - 5 * ratio);
    g.lineTo(x + side * 4 * ratio, height / 2 + 5 * ratio);
    g.fill();
  }
  g.fillStyle = '#000';
}

function setSplit(value) {
  viewer.split = Math.min(1, Math.max(0, value));
  $('split').value = Math.round(viewer.split * 1000);
  draw();
}

function setMode(mode) {
  viewer.mode = mode;
  mark($('modes'), mode);
  draw();
}

function setZoom(zoom) {
  viewer.zoom = zoom;
  mark($('zooms'), zoom);
  draw();
}

function pan(dx, dy) {
  const canvas = $('view'), p = placement(canvas);
  // Begins from where the picture is, not from where it was asked to be beyond its edge.
  const at = (offset, size, room) => size > room ? (room / 2 - offset) / size : 0.5;
  viewer.x = at(p.x + dx, p.w, canvas.width);
  viewer.y = at(p.y + dy, p.h, canvas.height);
  draw();
}

function stepZoom(step) {
  const at = ZOOMS.findIndex(([z]) => z === viewer.zoom) + step;
  if (ZOOMS[at]) setZoom(ZOOMS[at][0]);
}

function setUpPointer(canvas) {
  let last = null, splitting = false;
  const scale = () => canvas.width / canvas.clientWidth;
  canvas.addEventListener('pointerdown', event => {
    if (event.button || !viewer.images) return;
    const box = canvas.getBoundingClientRect();
    const near = Math.abs((event.clientX - box.left) / box.width - viewer.split) * box.width < 28;
    splitting = viewer.mode === 'slider' && (near || !viewer.zoom);
    last = event;
    canvas.setPointerCapture(event.pointerId);
    if (splitting) setSplit((event.clientX - box.left) / box.width);
  });
  canvas.addEventListener('pointermove', event => {
    if (!last) return;
    const box = canvas.getBoundingClientRect();
    if (splitting) setSplit((event.clientX - box.left) / box.width);
    else pan((event.clientX - last.clientX) * scale(), (event.clientY - last.clientY) * scale());
    last = event;
  });
  for (const end of ['pointerup', 'pointercancel']) canvas.addEventListener(end, () => { last = null; });
  canvas.addEventListener('dblclick', event => {
    const box = canvas.getBoundingClientRect(), p = placement(canvas);
    viewer.x = ((event.clientX - box.left) * scale() - p.x) / p.w;
    viewer.y = ((event.clientY - box.top) * scale() - p.y) / p.h;
    setZoom(viewer.zoom ? 0 : 4);
  });
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || !data.shots.length) return;
  const field = event.target.matches('input, summary, svg, [role=tab], [role=radio]');
  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  const count = data.shots.length;
  if (arrows && event.shiftKey && viewer.zoom) pan(-arrows[0] * 60, -arrows[1] * 60);
  else if (arrows && arrows[0] && !field && viewer.mode === 'slider') setSplit(viewer.split + arrows[0] * 0.02);
  else if (event.key === '[') show((viewer.shot + count - 1) % count);
  else if (event.key === ']') show((viewer.shot + 1) % count);
  else if (event.key === '+' || event.key === '=') stepZoom(1);
  else if (event.key === '-') stepZoom(-1);
  else if ('sbad'.includes(event.key.toLowerCase()) && event.key.length === 1)
    setMode({ s: 'slider', b: 'before', a: 'after', d: 'difference' }[event.key.toLowerCase()]);
  else if (event.key.toLowerCase() === 'w' && !$('lefts').hidden) setLeft(viewer.left === 'before' ? 'without' : 'before');
  else return;
  event.preventDefault();
}

function setLeft(left) {
  viewer.left = left;
  mark($('lefts'), left);
  show(viewer.shot);
}

function setUpViewer() {
  if (!data.shots.length) {
    $('compare').hidden = true;
    return;
  }
  data.shots.forEach((shot, i) => {
    const b = element('button', { type: 'button' },
      element('img', { src: shot.before, alt: '' }),
      element('span', { textContent: shot.why[0] }),
      element('small', { textContent: `frame ${shot.frame}, ${clock(shot.time)}` }));
    b.setAttribute('role', 'tab');
    b.addEventListener('click', () => show(i));
    $('shots').append(b);
  });
  radios($('modes'), MODES, viewer.mode, setMode);
  radios($('zooms'), ZOOMS, viewer.zoom, setZoom);
  radios($('lefts'), LEFTS, viewer.left, setLeft);
  $('lefts').hidden = $('without-key').hidden = !data.shots.some(shot => shot.without);
  [$('shots'), $('modes'), $('zooms'), $('lefts')].forEach(walkable);
  $('split').addEventListener('input', () => setSplit($('split').value / 1000));
  $('gain').addEventListener('input', () => {
    viewer.gain = Number($('gain').value);
    $('gain-value').textContent = `${viewer.gain}×`;
    draw();
  });
  setUpPointer($('view'));
  document.addEventListener('keydown', onKey);
  new ResizeObserver(draw).observe($('stage'));
  show(0);
}

// --- Plots ---

const TALL = 190, LEFT = 46, RIGHT = 10, TOP = 8, BOTTOM = 22;

function niceSteps(low, high, count) {
  const raw = (high - low) / count || 1, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map(f => f * power).find(s => s >= raw);
  const list = [];
  for (let v = Math.ceil(low / step) * step; v <= high + step / 1e6; v += step) list.push(v);
  return list;
}

// Of many values, the lowest and the highest of each stretch, so that no dip is lost.
function thin(x, y, room) {
  if (x.length <= 2 * room) return x.map((v, i) => [v, y[i]]);
  const out = [], size = x.length / room;
  for (let i = 0; i < room; i++) {
    let low = Math.floor(i * size), high = low;
    for (let k = low; k < Math.floor((i + 1) * size); k++) {
      if (y[k] < y[low]) low = k;
      if (y[k] > y[high]) high = k;
    }
    for (const k of low < high ? [low, high] : [high, low]) out.push([x[k], y[k]]);
  }
  return out;
}

// The scales of a plot that is `wide` pixels: px(time), py(value), and back.
function scales(lines, zero, wide) {
  const all = lines.flatMap(l => l.y);
  const from = Math.min(...lines.map(l => l.x[0])), to = Math.max(...lines.map(l => l.x[l.x.length - 1])) || 1;
  let low = all.reduce((a, b) => Math.min(a, b), Infinity), high = all.reduce((a, b) => Math.max(a, b), -Infinity);
  const spare = (high - low) * 0.08 || Math.abs(high) * 0.01 || 1;
  high += spare;
  low = zero ? 0 : low - spare;
  return { from, to, low, high, wide,
    px: t => LEFT + (t - from) / (to - from || 1) * (wide - LEFT - RIGHT),
    py: v => TOP + (high - v) / (high - low) * (TALL - TOP - BOTTOM),
    time: x => from + (x - LEFT) / (wide - LEFT - RIGHT) * (to - from) };
}

function label(x, y, anchor, text) {
  const t = svg('text', { x, y, 'text-anchor': anchor });
  t.textContent = text;
  return t;
}

const second = t => clock(t).replace(/\.?0+ s$/, ' s');

// options: mark: a place to point out; tick: of a place as text.
function drawPlot(s, lines, text, k, options = {}) {
  s.replaceChildren();
  s.setAttribute('viewBox', `0 0 ${k.wide} ${TALL}`);
  for (const v of niceSteps(k.low, k.high, 4))
    s.append(svg('line', { class: 'grid', x1: LEFT, x2: k.wide - RIGHT, y1: k.py(v), y2: k.py(v) }),
      label(LEFT - 6, k.py(v) + 4, 'end', text(v, true)));
  for (const v of niceSteps(k.from, k.to, k.wide / 110))
    s.append(label(k.px(v), TALL - 5, 'middle', (options.tick || second)(v)));
  if (options.mark)
    s.append(svg('line', { class: 'mark chosen', y1: TOP, y2: TALL - BOTTOM, x1: k.px(options.mark), x2: k.px(options.mark) }));
  for (const l of lines) {
    const points = thin(l.x, l.y, k.wide).map(([x, y]) => `${k.px(x).toFixed(1)} ${k.py(y).toFixed(1)}`);
    s.append(svg('path', { class: 'line', stroke: l.colour, d: 'M' + points.join('L') }));
  }
  const cursor = svg('line', { class: 'mark', y1: TOP, y2: TALL - BOTTOM, visibility: 'hidden' });
  s.append(cursor);
  return cursor;
}

// lines: [{name, colour, x, y}]; text: of a value. options: as of drawPlot(); zero: from 0 on; note: below;
// over: what x is; at: where the plot goes; place: of x, in full.
function plot(title, lines, text, options = {}) {
  const s = svg('svg', { tabindex: 0, role: 'img', 'aria-label': `${title} over ${options.over || 'time'}` });
  const key = element('span', { className: 'key' });
  for (const l of lines.length > 1 ? lines : []) {
    const i = element('i');
    i.style.background = l.colour;
    key.append(i, l.name);
  }
  const readout = element('p', { className: 'readout', textContent: options.note || '' });
  $(options.at || 'plots').append(element('figure', {}, element('figcaption', {}, element('b', { textContent: title }), key), s, readout));
  const state = {};
  new ResizeObserver(() => {
    const wide = Math.round(s.getBoundingClientRect().width);
    if (wide < 100 || (state.k && state.k.wide === wide)) return;
    state.k = scales(lines, options.zero, wide);
    state.cursor = drawPlot(s, lines, text, state.k, options);
  }).observe(s);
  setUpCursor(s, lines, text, state, readout, options.place || clock);
}

function nearest(x, t) {
  let a = 0, b = x.length - 1;
  while (b - a > 1) {
    const m = (a + b) >> 1;
    if (x[m] <= t) a = m; else b = m;
  }
  return Math.abs(x[a] - t) <= Math.abs(x[b] - t) ? a : b;
}

function setUpCursor(s, lines, text, state, readout, where) {
  const rest = readout.textContent, x = lines[0].x;
  let at = null;
  const point = i => {
    at = i;
    const place = state.k.px(x[i]);
    for (const end of ['x1', 'x2']) state.cursor.setAttribute(end, place);
    state.cursor.setAttribute('visibility', 'visible');
    readout.textContent = `${where(x[i])}: ` + lines.map(l =>
      `${lines.length > 1 ? l.name + ' ' : ''}${text(l.y[nearest(l.x, x[i])])}`).join(', ');
  };
  const leave = () => { state.cursor.setAttribute('visibility', 'hidden'); readout.textContent = rest; at = null; };
  s.addEventListener('pointermove', event => point(nearest(x, state.k.time(event.clientX - s.getBoundingClientRect().left))));
  s.addEventListener('pointerleave', leave);
  s.addEventListener('blur', leave);
  s.addEventListener('keydown', event => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    point(Math.min(x.length - 1, Math.max(0, at === null ? 0 : at + step)));
    event.preventDefault();
    event.stopPropagation();
  });
}

function fillPlots() {
  const f = data.series;
  if (f && f.time.length > 1) {
    const worst = `Worst: frame ${data.picture.worst_frame} at ${clock(data.picture.worst_time)}`;
    plot('PSNR of luma', [{ name: 'PSNR', colour: 'var(--c1)', x: f.time, y: f.psnr }], (v, short) => short ? digits(v, v % 1 ? 1 : 0) : `${digits(v, 2)} dB`, { note: worst });
    plot('SSIM', [{ name: 'SSIM', colour: 'var(--c3)', x: f.time, y: f.ssim }], (v, short) => digits(v, short ? 3 : 4));
  }
  const r = data.rates;
  if (r && r.output.length > 1) {
    const x = list => list.map((_, i) => i + 0.5);
    plot('Bit rate of the video', [
      { name: 'output', colour: 'var(--c1)', x: x(r.output), y: r.output },
      { name: 'input', colour: 'var(--c2)', x: x(r.input), y: r.input }],
    (v, short) => short ? (v >= 1000 ? `${+(v / 1000).toFixed(1)}M` : `${Math.round(v)}k`) : rate(v), { zero: true });
  }
  fillTimes();
}

// The search for the size at which the source was drawn: what comes back at each height.
function fillDrawing() {
  const curve = data.record && data.record.curve;
  if (!curve || !Array.isArray(curve.errors) || !curve.errors.length || !curve.errors.every(Number.isFinite)) return;
  const found = /^\d+x(\d+):/.exec(data.record.descale || '');
  $('drawing').hidden = false;
  plot('Error of each height', [{ name: 'error', colour: 'var(--c1)', x: curve.errors.map((_, i) => curve.first + i), y: curve.errors }],
    (v, short) => short ? `${+v.toPrecision(3)}` : `${digits(v, 2)} codes of 8 bits`,
    { at: 'drawing-plots', over: 'heights', zero: true, tick: v => `${v}`, place: v => `${v} rows`, mark: found ? +found[1] : 0,
      note: `Descaled: ${data.record.descale}. Lines of the source were descaled to each height and enlarged again: the error ` +
        (found ? 'dips at the one at which it was drawn.' : 'would dip clearly at a smaller one at which it was drawn.') });
}

// --- Time per stage ---

const PARTS = ['decode', 'convert', 'composite', 'descale', 'chroma_shift', 'deblock', 'dehalo', 'normalize', 'deband', 'structure', 'antialias', 'upscale', 'enhance', 'temporal', 'fit', 'grain', 'encode', 'other'];
const colourOf = part => `var(--t-${part})`;
const sum = list => list.reduce((a, b) => a + b, 0);

function figure(title, ...children) {
  $('plots').append(element('figure', {}, element('figcaption', {}, element('b', { textContent: title })), ...children));
}

// Milliseconds in three digits, as far as there are that many.
const ms = v => `${digits(v, v < 9.95 ? 2 : v < 99.5 ? 1 : 0)} ms`;

const span = seconds => seconds < 1 ? ms(1000 * seconds) : clock(seconds);

// Neighbours together where they would be narrower than three pixels.
function columns(segments, pixels) {
  const list = [];
  for (const s of segments) {
    const last = list[list.length - 1];
    if (last && Math.abs(last.to - s.from) < 1e-3 && last.device === s.device && (last.to - last.from) * pixels < 3) {
      last.to = s.to;
      last.frames += s.frames;
      for (const p of PARTS) last.seconds[p] = (last.seconds[p] || 0) + (s.seconds[p] || 0);
    } else list.push({ ...s, seconds: { ...s.seconds } });
  }
  return list;
}

function drawTimes(s, segments, wide) {
  const from = segments[0].from, to = segments[segments.length - 1].to;
  const list = columns(segments, (wide - LEFT - RIGHT) / (to - from || 1));
  const each = (c, part) => 1000 * (c.seconds[part] || 0) / c.frames;
  const tops = list.map(c => sum(PARTS.map(part => each(c, part))));
  const k = scales([{ x: [from, to], y: tops }], true, wide);
  drawPlot(s, [], v => `${+v.toPrecision(3)}`, k);
  for (const c of list) {
    const x = k.px(c.from), width = Math.max(1, k.px(c.to) - x - 1);
    let below = 0;
    for (const part of PARTS) {
      const value = each(c, part);
      if (!value) continue;
      s.append(svg('rect', { class: 'part', x: x.toFixed(1), width: width.toFixed(1), y: k.py(below + value).toFixed(2),
        height: (k.py(below) - k.py(below + value)).toFixed(2), fill: colourOf(part) }));
      below += value;
    }
  }
  const text = c => `${clock(c.from)} to ${clock(c.to)}: ${ms(tops[list.indexOf(c)])} a frame; ` +
    (list.some(other => other.device !== c.device) ? `on ${c.device}; ` : '') +
    PARTS.filter(part => each(c, part) > 0).map(part => `${part} ${ms(each(c, part))}`).join(', ');
  return { k, list, text };
}

function plotTimes(segments, note) {
  const s = svg('svg', { tabindex: 0, role: 'img', 'aria-label': 'Milliseconds per frame and stage over time' });
  const readout = element('p', { className: 'readout', textContent: note });
  let drawn = null, at = null;
  new ResizeObserver(() => {
    const wide = Math.round(s.getBoundingClientRect().width);
    if (wide >= 100 && !(drawn && drawn.k.wide === wide)) drawn = drawTimes(s, segments, wide);
  }).observe(s);
  const point = i => { at = i; readout.textContent = drawn.text(drawn.list[i]); };
  const leave = () => { at = null; readout.textContent = note; };
  s.addEventListener('pointermove', event => {
    const t = drawn.k.time(event.clientX - s.getBoundingClientRect().left);
    const i = drawn.list.findIndex(c => t >= c.from && t < c.to);
    if (i >= 0) point(i); else leave();
  });
  s.addEventListener('pointerleave', leave);
  s.addEventListener('blur', leave);
  s.addEventListener('keydown', event => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    point(Math.min(drawn.list.length - 1, Math.max(0, at === null ? 0 : at + step)));
    event.preventDefault();
    event.stopPropagation();
  });
  figure('Time per frame by stage, in milliseconds', s, readout);
}

// 'The stages ran on NVIDIA H200 (240 frames), cpu (121 frames).'; '' where it is not known.
function ranOn(segments) {
  const frames = new Map();
  for (const s of segments.filter(s => s.device)) frames.set(s.device, (frames.get(s.device) || 0) + s.frames);
  const each = ([name, count]) => frames.size > 1 ? `${name} (${count} frames)` : name;
  return frames.size ? ` The stages ran on ${[...frames].map(each).join(', ')}.` : '';
}

function barTimes(segments) {
  const total = Object.fromEntries(PARTS.map(p => [p, sum(segments.map(s => s.seconds[p] || 0))]));
  const all = sum(Object.values(total)), most = Math.max(...Object.values(total));
  const bars = element('div', { className: 'bars' });
  for (const part of PARTS.filter(p => total[p] > 0)) {
    const bar = element('div');
    bar.style.width = `${100 * total[part] / most}%`;
    bar.style.background = colourOf(part);
    bars.append(element('span', { textContent: part }), bar,
      element('span', { textContent: `${span(total[part])}, ${digits(100 * total[part] / all, 1)} %` }));
  }
  figure('Time by stage', bars, element('p', { className: 'readout', textContent:
    `Together ${span(all)} of one worker's time by the clock. Decode: with deinterlacing. Convert: to the 15 bits that ` +
    'the stages work in, and from them. Encode: waiting for the encoder, whose own threads go on meanwhile.' +
    ranOn(segments) }));
}

function fillTimes() {
  const segments = data.times.segments, known = sum(segments.map(s => s.frames));
  if (!known) {
    figure('Time per stage', element('p', { className: 'readout', textContent: 'Not known: it was not kept. ' +
      'upscale --stage-times FILE writes it and report --stage-times FILE reads it; a work folder that is kept has it, too.' }));
    return;
  }
  plotTimes(segments, known < data.times.frames ? `Known of ${known} of ${data.times.frames} frames.` : '');
  barTimes(segments);
}

// --- Tables ---

function fillChecks() {
  for (const c of data.checks)
    $('checks').append(element('li', {},
      element('span', { className: `badge ${c.passed ? 'good' : 'bad'}`, textContent: c.passed ? 'passed' : 'failed' }),
      element('span', { textContent: c.detail })));
}

function describe(s) {
  if (!s) return '–';
  const size = s.width ? `${s.width}×${s.height}` : null;
  const list = [s.codec, size, s.pixel_format, s.color_space, s.channel_layout, s.sample_rate ? `${s.sample_rate} Hz` : null, s.filename];
  return list.filter(t => t && t !== 'unknown').join(', ');
}

// Pairs streams by type and place within it, as outputs keep their order.
function fillStreams() {
  const of = (file, type) => file.streams.filter(s => s.type === type);
  const types = [...new Set([...data.input.streams, ...data.output.streams].map(s => s.type))];
  const head = ['Stream', 'Language, title', 'Input', 'Output'];
  const body = element('tbody');
  for (const type of types) {
    const a = of(data.input, type), b = of(data.output, type);
    for (let i = 0; i < Math.max(a.length, b.length); i++) {
      const s = a[i] || b[i];
      const cells = [`${type} ${i + 1}`, [s.language, s.title].filter(Boolean).join(', ') || '–', describe(a[i]), describe(b[i])];
      body.append(element('tr', {}, ...cells.map((text, n) => {
        const td = element('td', { textContent: text });
        td.dataset.label = head[n];
        return td;
      })));
    }
  }
  $('streams').append(element('thead', {}, element('tr', {}, ...head.map(h => element('th', { textContent: h })))), body);
}

function fillMade() {
  const made = $('made');
  const rows = [['Input', `${data.input.name}, ${data.input.format}, ${bytes(data.input.size)}`],
    ['Output', `${data.output.name}, ${data.output.format}, ${bytes(data.output.size)}`],
    ['Chapters', `${data.input.chapters} in the input, ${data.output.chapters} in the output`],
    ['Settings', data.known_from ? `known from ${data.known_from}` : 'not known: no provenance record, no work folder']];
  if (data.estimate) rows.push(['Estimate', data.estimate.text]);
  const dl = element('dl');
  for (const [name, value] of rows) dl.append(element('dt', { textContent: name }), element('dd', { textContent: value }));
  made.append(dl);
  for (const [name, value] of [['Settings', data.settings], ['Provenance record', data.record]])
    if (value) made.append(element('details', {}, element('summary', { textContent: name }), element('pre', { textContent: JSON.stringify(value, null, 2) })));
}

setUpTheme();
fillHead();
setUpViewer();
fillPlots();
fillDrawing();
fillChecks();
fillStreams();
fillMade();
})();
