import { need } from './dom.js';

/** The tab list: clicks, arrow keys, and the address's `#train`. */
export function startTabs<N extends string>(names: readonly N[], onShow: (name: N) => void): void {
  const tabs = names.map((name) => need(`tab-${name}`, HTMLButtonElement));
  const show = (index: number, focus: boolean): void => {
    const name = names[index] as N;
    tabs.forEach((tab, i) => {
      tab.setAttribute('aria-selected', String(i === index));
      tab.tabIndex = i === index ? 0 : -1;
      need(`panel-${names[i]}`, HTMLElement).hidden = i !== index;
    });
    if (focus) tabs[index]?.focus();
    if (location.hash !== `#${name}` && (location.hash !== '' || index !== 0)) {
      history.replaceState(null, '', `#${name}`);
    }
    onShow(name);
  };
  const fromAddress = (): number => Math.max(0, names.indexOf(location.hash.slice(1) as N));
  tabs.forEach((tab, i) => {
    tab.addEventListener('click', () => show(i, false));
    tab.addEventListener('keydown', (event) => {
      const last = tabs.length - 1;
      const to = {
        ArrowRight: i === last ? 0 : i + 1,
        ArrowLeft: i === 0 ? last : i - 1,
        Home: 0,
        End: last,
      }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      show(to, true);
    });
  });
  addEventListener('hashchange', () => {
    // Other fragments, such as that of the skip link, are not tabs.
    if (names.includes(location.hash.slice(1) as N)) show(fromAddress(), false);
  });
  show(fromAddress(), false);
}
