import { expect, test } from 'vitest'
import { lockOrder } from '#platform/lock-order.ts'

test('locks in the order of the house are taken without a word', () => {
  const locks = lockOrder()
  locks.take('document', [1, 2])
  locks.take('document', [3])
  locks.take('credit account', ['north 7'])
  locks.take('stock position', ['a', 'b'])
  locks.take('step row', [1])
  locks.take('desk row', [1])
  expect(() => locks.take('desk row', [1])).not.toThrow()
})

test('a lock of a lower rank after one of a higher rank is caught', () => {
  const locks = lockOrder()
  locks.take('stock position', ['a'])
  expect(() => locks.take('credit account', ['north 7'])).toThrow(
    'lock order: credit account north 7 is locked after a stock position',
  )
})

test('keys that are not in their order are caught, numbers by value and texts by letter', () => {
  expect(() => lockOrder().take('document', [2, 10])).not.toThrow()
  expect(() => lockOrder().take('document', [10, 2])).toThrow('document 2 is not in the order of keys')
  expect(() => lockOrder().take('stock position', ['b', 'a'])).toThrow('stock position a')
})

test('locking again what is held is free, also when higher ranks were locked since', () => {
  const locks = lockOrder()
  locks.take('document', [1, 2])
  locks.take('desk row', [1])
  expect(() => locks.take('document', [2, 1])).not.toThrow()
  expect(() => locks.take('document', [2, 3])).toThrow('document 3 is locked after a desk row')
})

test('a lock that was refused is not held', () => {
  const locks = lockOrder()
  expect(() => locks.take('document', [2, 1])).toThrow('not in the order')
  locks.take('desk row', [1])
  expect(() => locks.take('document', [1])).toThrow('document 1 is locked after a desk row')
})
