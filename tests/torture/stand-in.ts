/** Stands in for a program of the house: ready at once, and ends as it is told: `at once`, with a code when it is told to stop, or `never`. */
const wish = process.env['ENDS'] ?? ''
process.on('SIGTERM', () => wish !== 'never' && process.exit(Number(wish)))
process.on('disconnect', () => process.exit(1))
process.send!({ url: 'http://127.0.0.1:1' }, () => wish === 'at once' && process.exit(7))
