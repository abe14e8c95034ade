/** Names for made-up companies, places and goods. */

export const PLACES_US = [
  ['Boston', 'MA', '02110'],
  ['Worcester', 'MA', '01608'],
  ['Hartford', 'CT', '06103'],
  ['Newark', 'NJ', '07102'],
  ['Albany', 'NY', '12207'],
  ['Buffalo', 'NY', '14202'],
  ['Philadelphia', 'PA', '19103'],
  ['Pittsburgh', 'PA', '15222'],
  ['Cleveland', 'OH', '44113'],
  ['Columbus', 'OH', '43215'],
  ['Chicago', 'IL', '60606'],
  ['Portland', 'OR', '97204'],
] as const

export const PLACES_EU = [
  ['Kiel', 'DE', '24103'],
  ['Leipzig', 'DE', '04109'],
  ['Lyon', 'FR', '69002'],
  ['Nantes', 'FR', '44000'],
  ['Rotterdam', 'NL', '3011'],
  ['Gent', 'BE', '9000'],
  ['Wien', 'AT', '1010'],
  ['Milano', 'IT', '20121'],
  ['Porto', 'PT', '4000-123'],
  ['Warszawa', 'PL', '00-001'],
] as const

export const STREETS = [
  'Harbor',
  'Market',
  'Mill',
  'Station',
  'Church',
  'Orchard',
  'Bridge',
  'Foundry',
  'Canal',
  'Garden',
]
export const FIRSTS = [
  'Blue',
  'North',
  'Golden',
  'Old',
  'Silver',
  'East',
  'Green',
  'Royal',
  'Union',
  'Corner',
  'River',
  'Stone',
]
export const FOOD_TRADES = [
  'Grocers',
  'Deli',
  'Kitchens',
  'Catering',
  'Bistro Group',
  'Foods Market',
  'Pantry',
  'Bakery',
]
export const INDUSTRY_TRADES = [
  'Fasteners',
  'Machine Works',
  'Metalbau',
  'Tooling',
  'Fabrication',
  'Supply',
  'Engineering',
]

export const FOODS = [
  'Tomatoes peeled',
  'Olive oil',
  'Penne rigate',
  'Chickpeas',
  'Basmati rice',
  'Anchovy fillets',
  'Dijon mustard',
  'Espresso beans',
  'Apple juice',
  'Dark chocolate',
  'Sea salt',
  'Green tea',
  'Capers',
  'Honey',
  'Lentils',
  'Coconut milk',
  'Almonds',
  'Polenta',
  'Balsamic vinegar',
  'Artichokes',
]
export const FOOD_SIZES = ['400 g', '500 g', '1 kg', '2.5 kg', '750 ml', '1 l']
export const CATCH_WEIGHTS = [
  'Parma ham',
  'Gouda wheel',
  'Smoked salmon side',
  'Beef striploin',
  'Pecorino wheel',
  'Turkey breast',
]
export const BULKS = ['Wheat flour', 'Cane sugar', 'Rock salt', 'Durum semolina', 'Oat flakes']
export const MACHINES = ['Compressor', 'Rotary pump', 'Band saw', 'Welding set', 'Generator']
export const MACHINE_SIZES = ['2 kW', '3 kW', '5.5 kW', '7.5 kW']
export const PARTS = [
  'Hex bolt',
  'Hex nut',
  'Plain washer',
  'Wood screw',
  'Rivet',
  'Ball bearing',
  'Hose clamp',
  'O-ring',
  'Drill bit',
  'Cable tie',
  'Shackle',
  'V-belt',
]
export const PART_SIZES = ['M4', 'M5', 'M6', 'M8', 'M8x40', 'M10', 'M12', 'M16', '20 mm', '35 mm']
