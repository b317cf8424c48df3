/** Files by their path, as dropped or chosen. */
export type Files = ReadonlyMap<string, File>;

/** Files from a file or folder chooser. */
export function chosen(list: FileList | null): Files {
  return new Map(Array.from(list ?? [], (file) => [file.webkitRelativePath || file.name, file]));
}

/** Calls `take` with what is dropped on `target`, folders read to their depths; `onOver` says whether something hangs above it. */
export function onDrop(
  target: HTMLElement,
  take: (files: Files) => void,
  onOver: (over: boolean) => void,
): void {
  let depth = 0;
  const enter = (by: number): void => {
    depth = Math.max(0, depth + by);
    onOver(depth > 0);
  };
  const holdsFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false;
  target.addEventListener('dragenter', (event) => {
    if (holdsFiles(event)) enter(1);
  });
  target.addEventListener('dragleave', (event) => {
    if (holdsFiles(event)) enter(-1);
  });
  target.addEventListener('dragover', (event) => {
    if (holdsFiles(event)) event.preventDefault();
  });
  target.addEventListener('drop', async (event) => {
    if (!event.dataTransfer || !holdsFiles(event)) return;
    event.preventDefault();
    depth = 0;
    onOver(false);
    take(await dropped(event.dataTransfer));
  });
}

async function dropped(transfer: DataTransfer): Promise<Files> {
  const files = new Map<string, File>();
  // Entries must be asked for before the first wait: the transfer is emptied after the event.
  const entries: FileSystemEntry[] = [];
  for (const item of transfer.items) {
    const entry = item.webkitGetAsEntry();
    if (entry) entries.push(entry);
  }
  if (entries.length === 0) return new Map(Array.from(transfer.files, (file) => [file.name, file]));
  for (const entry of entries) await gather(entry, files);
  return files;
}

async function gather(entry: FileSystemEntry, files: Map<string, File>): Promise<void> {
  if (isFile(entry)) {
    const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
    files.set(entry.fullPath.replace(/^\//, ''), file);
  } else if (isFolder(entry)) {
    const reader = entry.createReader();
    for (;;) {
      // A reader gives a hundred at a time.
      const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
        reader.readEntries(resolve, reject),
      );
      if (some.length === 0) return;
      for (const child of some) await gather(child, files);
    }
  }
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}
