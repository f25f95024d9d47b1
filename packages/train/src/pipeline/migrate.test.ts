import { expect, it } from 'vitest'
import { migrateRunSettings } from './migrate.ts'

it('fills in what runs did before it could be chosen, and keeps what a run says', () => {
  expect(migrateRunSettings({ train: { lr: 0.01 }, out: 'x' })).toEqual({
    train: { lr: 0.01, optimizer: 'adamw' },
    out: 'x',
  })
  expect(migrateRunSettings({})).toEqual({ train: { optimizer: 'adamw' } })
  expect(migrateRunSettings({ train: { optimizer: 'muon' } })).toEqual({ train: { optimizer: 'muon' } })
})

it('changes nothing of its argument, and leaves what is no settings to the reader', () => {
  const values = { train: { lr: 1 } }
  migrateRunSettings(values)
  expect(values).toEqual({ train: { lr: 1 } })
  for (const wrong of [null, 3, 'x', [1], { train: 'x' }, { train: [1] }])
    expect(migrateRunSettings(wrong)).toEqual(wrong)
})
