//! Where people live: the largest urban areas by name, and the countryside around them in large discs.
//!
//! Millions of people, rounded: urban areas after the United Nations' World Urbanization Prospects (2018,
//! figures for 2020), the rest of each region after its population in World Population Prospects (2022)
//! less the areas named here. Round figures are enough: what counts is that some people live close
//! together and most do not.

/// A place: degrees north and east, radius in kilometres, millions of people.
pub(super) type Place = (f64, f64, f64, f64);

/// Urban areas. People live the denser the nearer to the middle.
pub(super) const CITIES: &[Place] = &[
    (35.69, 139.69, 50.0, 37.4),  // Tokyo
    (28.61, 77.21, 35.0, 30.3),   // Delhi
    (31.23, 121.47, 35.0, 27.1),  // Shanghai
    (-23.55, -46.63, 35.0, 22.0), // Sao Paulo
    (19.43, -99.13, 30.0, 21.8),  // Mexico City
    (23.81, 90.41, 20.0, 21.0),   // Dhaka
    (30.04, 31.24, 25.0, 20.9),   // Cairo
    (39.90, 116.41, 35.0, 20.5),  // Beijing
    (19.08, 72.88, 25.0, 20.4),   // Mumbai
    (34.69, 135.50, 35.0, 19.2),  // Osaka
    (40.71, -74.01, 55.0, 18.8),  // New York
    (24.86, 67.01, 25.0, 16.1),   // Karachi
    (29.56, 106.55, 30.0, 15.9),  // Chongqing
    (41.01, 28.98, 30.0, 15.2),   // Istanbul
    (-34.60, -58.38, 35.0, 15.2), // Buenos Aires
    (22.57, 88.36, 25.0, 14.9),   // Kolkata
    (6.52, 3.38, 25.0, 14.4),     // Lagos
    (-4.32, 15.31, 20.0, 14.3),   // Kinshasa
    (14.60, 120.98, 25.0, 13.9),  // Manila
    (39.13, 117.20, 30.0, 13.6),  // Tianjin
    (-22.91, -43.17, 30.0, 13.5), // Rio de Janeiro
    (23.13, 113.26, 30.0, 13.3),  // Guangzhou
    (31.55, 74.34, 20.0, 12.6),   // Lahore
    (55.76, 37.62, 40.0, 12.5),   // Moscow
    (34.05, -118.24, 55.0, 12.4), // Los Angeles
    (22.54, 114.06, 25.0, 12.4),  // Shenzhen
    (12.97, 77.59, 25.0, 12.3),   // Bangalore
    (48.86, 2.35, 30.0, 11.0),    // Paris
    (4.71, -74.07, 20.0, 11.0),   // Bogota
    (13.08, 80.27, 20.0, 11.0),   // Chennai
    (-6.21, 106.85, 35.0, 10.8),  // Jakarta
    (-12.05, -77.04, 25.0, 10.7), // Lima
    (13.76, 100.50, 30.0, 10.5),  // Bangkok
    (17.39, 78.49, 25.0, 10.0),   // Hyderabad
    (37.57, 126.98, 35.0, 10.0),  // Seoul
    (35.18, 136.91, 30.0, 9.6),   // Nagoya
    (51.51, -0.13, 35.0, 9.3),    // London
    (35.69, 51.39, 25.0, 9.1),    // Tehran
    (41.88, -87.63, 45.0, 8.9),   // Chicago
    (10.82, 106.63, 25.0, 8.6),   // Ho Chi Minh City
    (-8.84, 13.29, 20.0, 8.3),    // Luanda
    (3.15, 101.69, 30.0, 8.0),    // Kuala Lumpur
    (34.34, 108.94, 25.0, 8.0),   // Xi'an
    (33.31, 44.37, 25.0, 7.1),    // Baghdad
    (-33.45, -70.67, 25.0, 6.8),  // Santiago
    (40.42, -3.70, 25.0, 6.6),    // Madrid
    (43.65, -79.38, 35.0, 6.2),   // Toronto
    (1.35, 103.82, 15.0, 5.9),    // Singapore
    (-26.20, 28.05, 35.0, 5.8),   // Johannesburg
    (25.76, -80.19, 40.0, 6.1),   // Miami
    (32.78, -96.80, 50.0, 6.3),   // Dallas
    (29.76, -95.37, 50.0, 6.4),   // Houston
    (41.39, 2.17, 20.0, 5.6),     // Barcelona
    (59.93, 30.34, 25.0, 5.5),    // Saint Petersburg
    (-33.87, 151.21, 35.0, 4.9),  // Sydney
    (-37.81, 144.96, 40.0, 5.0),  // Melbourne
    (-1.29, 36.82, 20.0, 4.7),    // Nairobi
    (52.52, 13.40, 25.0, 3.6),    // Berlin
    (45.46, 9.19, 25.0, 3.1),     // Milan
    (41.90, 12.50, 20.0, 4.3),    // Rome
    (37.98, 23.73, 20.0, 3.2),    // Athens
    (50.45, 30.52, 20.0, 3.0),    // Kyiv
    (38.72, -9.14, 20.0, 3.0),    // Lisbon
    (48.21, 16.37, 20.0, 1.9),    // Vienna
    (44.79, 20.45, 15.0, 1.4),    // Belgrade
    (52.23, 21.01, 20.0, 1.8),    // Warsaw
    (59.33, 18.07, 20.0, 1.6),    // Stockholm
];

/// Everybody else: people live evenly over a disc.
pub(super) const COUNTRYSIDE: &[Place] = &[
    (26.0, 82.0, 600.0, 620.0),    // the plain of the Ganges
    (18.0, 77.0, 600.0, 560.0),    // peninsular India
    (23.5, 90.0, 250.0, 170.0),    // Bengal
    (30.5, 71.5, 500.0, 210.0),    // the Indus
    (33.5, 116.0, 500.0, 520.0),   // the plain of North China
    (29.0, 112.0, 500.0, 400.0),   // the Yangtze
    (25.0, 108.0, 500.0, 250.0),   // South China
    (44.0, 125.0, 400.0, 100.0),   // Manchuria
    (36.0, 137.0, 400.0, 60.0),    // Japan
    (36.5, 127.8, 200.0, 60.0),    // Korea
    (16.0, 105.0, 700.0, 210.0),   // mainland South-East Asia
    (-7.3, 110.0, 350.0, 150.0),   // Java
    (0.0, 110.0, 1200.0, 130.0),   // the other islands of the Sunda
    (12.0, 123.0, 500.0, 95.0),    // the Philippines
    (38.0, 60.0, 1300.0, 200.0),   // Iran, Afghanistan, Central Asia
    (33.0, 42.0, 900.0, 170.0),    // the Levant, Iraq, Arabia
    (39.0, 35.0, 500.0, 70.0),     // Anatolia
    (27.0, 31.5, 350.0, 85.0),     // the Nile
    (34.0, 3.0, 900.0, 100.0),     // the Maghreb
    (9.0, 5.0, 900.0, 390.0),      // West Africa
    (9.0, 38.0, 700.0, 200.0),     // Ethiopia and Sudan
    (-3.0, 34.0, 800.0, 230.0),    // East Africa
    (-5.0, 22.0, 900.0, 150.0),    // the Congo
    (-20.0, 28.0, 1000.0, 150.0),  // Southern Africa
    (50.0, 9.0, 600.0, 250.0),     // Western and Central Europe
    (42.0, 4.0, 900.0, 120.0),     // the Mediterranean north
    (53.0, -2.0, 300.0, 60.0),     // Britain and Ireland
    (47.0, 24.0, 700.0, 130.0),    // Eastern Europe
    (60.0, 18.0, 600.0, 25.0),     // the Nordic countries
    (55.0, 45.0, 1200.0, 100.0),   // Russia
    (40.0, -79.0, 700.0, 110.0),   // the American north-east
    (34.0, -87.0, 800.0, 90.0),    // the American south
    (42.0, -95.0, 900.0, 40.0),    // the plains
    (40.0, -117.0, 900.0, 50.0),   // the American west
    (20.0, -99.0, 600.0, 105.0),   // Mexico
    (15.0, -85.0, 900.0, 90.0),    // Central America and the Caribbean
    (4.0, -73.0, 800.0, 80.0),     // the northern Andes
    (-10.0, -75.0, 700.0, 35.0),   // the central Andes
    (-12.0, -43.0, 1300.0, 175.0), // Brazil
    (-33.0, -62.0, 900.0, 50.0),   // the southern cone
    (-27.0, 148.0, 1200.0, 20.0),  // Australia and New Zealand
];
