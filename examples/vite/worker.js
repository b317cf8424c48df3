import { openDevice } from 'shadergrad';
import { all } from '../all.js';

try {
  postMessage(JSON.stringify(await all(await openDevice())));
} catch (error) {
  postMessage(error.message);
}
