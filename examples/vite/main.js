// The page stays free: all work is in the Worker.
const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
worker.onmessage = ({ data }) => {
  document.querySelector('#result').textContent = data;
};
