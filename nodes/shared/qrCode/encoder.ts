// In the package this file is the library itself: the build puts it here, with its licence (see gulpfile.js).
export { encodeQR } from 'qr';
